import type { Store } from "@chat21/engine";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createMemoryStore } from "../memory-store.ts";
import type { StoreWorld } from "./store-world.ts";

const users = ["ann", "bob"] as const;
const user = fc.constantFrom(...users);
const clientId = fc.constantFrom("phone", "web");

/** One call at a moment. */
type Step = (store: Store, app: string, now: number) => Promise<unknown>;

const renew = fc
  .array(fc.tuple(user, clientId, fc.integer({ min: 0, max: 9 })), { maxLength: 3 })
  .map<Step>((leases) => (store, app, now) => {
    return store.presence.renew(
      leases.map(([name, client, ttl]) => ({ app, user: name, clientId: client, expiresAt: now + ttl })),
      now,
    );
  });

const end = fc.tuple(user, clientId).map<Step>(
  ([name, client]) =>
    (store, app, now) =>
      store.presence.end(app, name, client, now),
);

const expire = fc.constant<Step>(async (store, app, now) => {
  const gone = (await store.presence.expire(now)).filter((one) => one.app === app);
  return gone.map((one) => one.user).toSorted();
});

const get = fc.constant<Step>((store, app, now) => store.presence.get(app, users, now));

/** Leases of this run, in the order of their ends; at equal ends by name. */
const expiring = fc.integer({ min: 0, max: 9 }).map<Step>((ahead) => async (store, app, now) => {
  const own = (await store.presence.expiring(now + ahead, 1_000)).filter((lease) => lease.app === app);
  const ends = own.map(({ expiresAt }) => expiresAt);
  expect(ends).toEqual(ends.toSorted((a, b) => a - b));
  return own
    .map(({ user: name, clientId: client, expiresAt }) => `${expiresAt} ${name} ${client}`)
    .toSorted();
});

const ofClient = clientId.map<Step>((client) => async (store, app) => {
  const own = (await store.presence.ofClient(client)).filter((lease) => lease.app === app);
  return own.map(({ user: name, expiresAt }) => `${name} ${expiresAt}`).toSorted();
});

/** Random leases: the store gives the memory store's answers. */
export function describePresenceModel(world: StoreWorld): void {
  it("answers every run of renewals, ends and expiries as the memory store does", async () => {
    const step = fc.tuple(
      fc.oneof(renew, renew, end, expire, expiring, ofClient, get),
      fc.integer({ min: 0, max: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
        const app = world.fresh("app");
        const model = createMemoryStore();
        let now = 1_000;

        for (const [call, elapsed] of steps) {
          now += elapsed;
          expect(await call(world.store, app, now)).toEqual(await call(model, app, now));
        }

        expect(await world.store.presence.get(app, users, now)).toEqual(
          await model.presence.get(app, users, now),
        );
      }),
      { numRuns: 100 },
    );
  }, 60_000);
}
