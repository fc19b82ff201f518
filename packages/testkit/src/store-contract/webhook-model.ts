import type { StoredWebhookDelivery } from "@chat21/events";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createMemoryStore } from "../memory-store.ts";
import type { WholeStore } from "../whole-store.ts";
import { sampleDelivery } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

type Store = Pick<WholeStore, "webhooks">;

/** A row by its own name, without the fields that differ from store to store. */
const told = ({ position, ...row }: StoredWebhookDelivery) => row;

/** One call at a moment. Ids and endpoints begin with `at`, which no other run uses. */
type Step = (store: Store, at: string, now: number) => Promise<unknown>;

const endpoints = ["x", "y"] as const;
const name = fc.integer({ min: 0, max: 7 });
const endpoint = fc.constantFrom(...endpoints);
const idOf = (at: string, row: number) => `${at}/${row}`;

const enqueue = fc
  .array(fc.tuple(name, endpoint, fc.constantFrom("lane-1", "lane-2")), { minLength: 1, maxLength: 5 })
  .map<Step>((rows) => (store, at, now) => {
    return store.webhooks.enqueue(
      rows.map(([row, target, orderKey]) =>
        sampleDelivery(idOf(at, row), { endpoint: `${at}/${target}`, orderKey, createdAt: now }),
      ),
    );
  });

const lease = fc
  .record({
    endpoint,
    ttl: fc.integer({ min: 1, max: 6 }),
    limit: fc.integer({ min: 1, max: 3 }),
    turn: fc.constantFrom("oldest" as const, "newest" as const),
  })
  .map<Step>(({ endpoint: target, ttl, limit, turn }) => async (store, at, now) => {
    const rows = await store.webhooks.lease({
      endpoint: `${at}/${target}`,
      now,
      leaseUntil: now + ttl,
      limit,
      turn,
    });
    return rows.map(told);
  });

const settle = fc
  .record({
    row: name,
    ago: fc.integer({ min: 0, max: 3 }),
    ttl: fc.integer({ min: 1, max: 6 }),
    state: fc.constantFrom("pending" as const, "delivered" as const, "dead" as const),
    wait: fc.integer({ min: 0, max: 6 }),
  })
  .map<Step>(({ row, ago, ttl, state, wait }) => (store, at, now) => {
    const outcome = { nextAttemptAt: now + wait, status: 500, error: "e", at: now };
    return store.webhooks.settle([{ id: idOf(at, row), leaseUntil: now - ago + ttl, state, ...outcome }]);
  });

const replay = fc.oneof(fc.array(name, { maxLength: 3 }), endpoint).map<Step>((what) => (store, at, now) => {
  const where =
    typeof what === "string" ? { deadOf: `${at}/${what}` } : { ids: what.map((row) => idOf(at, row)) };
  return store.webhooks.replay(where, now);
});

const giveUp = fc.tuple(endpoint, fc.integer({ min: 0, max: 9 })).map<Step>(
  ([target, age]) =>
    (store, at, now) =>
      store.webhooks.giveUp({ endpoint: `${at}/${target}`, queuedBefore: now - age }, now, "old"),
);

const skip = fc
  .array(name, { maxLength: 3 })
  .map<Step>(
    (rows) => (store, at, now) =>
      store.webhooks.giveUp({ ids: rows.map((row) => idOf(at, row)) }, now, "skipped"),
  );

const hasten = endpoint.map<Step>(
  (target) => (store, at, now) => store.webhooks.hasten(`${at}/${target}`, now),
);

const bound = endpoint.map<Step>(
  (target) => (store, at, now) => store.webhooks.bound(`${at}/${target}`, { now, waitMs: 4, leaseMs: 3 }),
);

const prune = fc
  .tuple(fc.constantFrom("delivered" as const, "dead" as const), fc.integer({ min: 0, max: 5 }))
  .map<Step>(
    ([state, age]) =>
      (store, _, now) =>
        store.webhooks.prune(state, now - age, 1_000),
  );

async function seen(store: Store, at: string) {
  const own = (await store.webhooks.due()).filter((due) => due.endpoint.startsWith(`${at}/`));
  const rows = await Promise.all(
    endpoints.map((target) => store.webhooks.list({ endpoint: `${at}/${target}`, limit: 100 })),
  );
  return {
    due: own.toSorted((a, b) => (a.endpoint < b.endpoint ? -1 : 1)),
    rows: rows.map((list) => list.map(told)),
  };
}

/** Pruning looks at all endpoints: no settled rows of other tests may be left. */
async function pruneAll(store: Store): Promise<void> {
  for (const state of ["delivered", "dead"] as const) {
    while ((await store.webhooks.prune(state, Number.MAX_SAFE_INTEGER, 1_000)) > 0);
  }
}

/** Random use of the outbox, with a clock that is set back: the store gives the memory store's answers. */
export function describeWebhookModel(world: StoreWorld): void {
  it("answers every run of leases, outcomes, replays and prunings as the memory store does", async () => {
    const step = fc.tuple(
      fc.oneof(
        enqueue,
        enqueue,
        lease,
        lease,
        lease,
        settle,
        settle,
        settle,
        replay,
        hasten,
        bound,
        giveUp,
        skip,
        prune,
      ),
      fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(-9)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const at = world.fresh("run");
        const model = createMemoryStore();
        let now = 1_000;
        await pruneAll(world.store);

        for (const [call, elapsed] of steps) {
          now += elapsed;
          expect(await call(world.store, at, now)).toEqual(await call(model, at, now));
          expect(await seen(world.store, at)).toEqual(await seen(model, at));
        }
      }),
      { numRuns: 100 },
    );
  }, 60_000);
}
