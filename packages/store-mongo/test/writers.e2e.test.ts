import type { EventRecord, Run } from "@chat21/engine";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { MongoStore } from "../src/index.ts";
import { openStores, type SharedDatabase } from "./test-database.ts";

let stores: SharedDatabase["stores"];
let close: SharedDatabase["close"];

beforeAll(async () => {
  ({ stores, close } = await openStores(3));
});
afterAll(() => close());

function event(conversation: string, seq: number, name: string): EventRecord {
  return {
    ...{ app: "app", conversation, seq, type: "message", sender: "ann", clientMessageId: name },
    ...{ messageId: `id-${name}`, timestamp: 1_700_000_000_000 + seq, committedAt: 1_700_000_000_000 },
    ...{ body: "{}", tempUid: null, hiddenFor: null, listed: true, overlay: null },
  };
}

function run(
  conversation: string,
  expectedHead: number,
  names: readonly string[],
  facts: Partial<Run> = {},
): Run {
  return {
    ...{ app: "app", conversation, expectedHead, kind: "group", transient: false, ...facts },
    events: names.map((name, index) => event(conversation, expectedHead + 1 + index, name)),
  };
}

async function headOf(store: MongoStore, conversation: string): Promise<number> {
  const [record] = await store.conversations.load([{ app: "app", conversation }]);
  return record?.head ?? 0;
}

/** Writes `names` three at a time, against whoever else writes there. */
async function write(
  store: MongoStore,
  conversation: string,
  names: readonly string[],
  facts?: Partial<Run>,
) {
  let waiting = names;
  while (waiting.length > 0) {
    const head = await headOf(store, conversation);
    const chosen = waiting.slice(0, 3);
    const [result] = await store.events.commit([run(conversation, head, chosen, facts)]);
    expect(["committed", "stale"]).toContain(result?.status);
    waiting = waiting.slice(result?.committed ?? 0);
  }
}

const namesOf = (writer: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${writer}-${index}`);

describe("several processes on one database", () => {
  it("tell one another of new webhook rows, until they do not want to know", async () => {
    const [one, two] = stores as [MongoStore, MongoStore];
    const rows = (id: string) => [
      { ...{ id, endpoint: "http://hook", app: "app", orderKey: "k" }, event: "e", body: "{}", createdAt: 1 },
    ];
    const heard = vi.fn();
    const stop = two.webhooks.onEnqueued?.(heard);
    // The stream takes a moment to open.
    for (let n = 0; heard.mock.calls.length === 0; n++) await one.webhooks.enqueue(rows(`first-${n}`));

    stop?.();
    const before = heard.mock.calls.length;
    const witness = vi.fn();
    const stopWitness = two.webhooks.onEnqueued?.(witness);
    for (let n = 0; witness.mock.calls.length === 0; n++) await one.webhooks.enqueue(rows(`then-${n}`));
    stopWitness?.();

    expect(heard).toHaveBeenCalledTimes(before);
  });

  it("number one conversation without holes and keep the order of each", async () => {
    const all = stores.map((_, index) => namesOf(`w${index}`, 60));

    await Promise.all(stores.map((store, index) => write(store, "group-hot", all[index] ?? [])));

    const log = await (stores[0] as MongoStore).events.read({
      ...{ app: "app", conversation: "group-hot", limit: 1_000, from: "oldest" },
    });
    const keys = log.map(({ clientMessageId }) => clientMessageId ?? "");
    expect(log.map(({ seq }) => seq)).toEqual(keys.map((_, index) => index + 1));
    for (const [index, names] of all.entries()) {
      expect(keys.filter((key) => key.startsWith(`w${index}-`))).toEqual(names);
    }
    expect(keys).toHaveLength(180);
  });

  it("change members against messages, and no message goes by members that were outdated", async () => {
    const [one, two] = stores as readonly [MongoStore, MongoStore, MongoStore];
    const members = (count: number) =>
      Array.from({ length: count }, (_, index) => {
        return { user: `user-${index}`, role: "member", intervals: [[1, null]] } as const;
      });
    await write(one, "group-mixed", ["start"], { members: members(1) });

    const joining = (async () => {
      for (let count = 2; count <= 15; count += 1) {
        await write(two, "group-mixed", [`join-${count}`], { members: members(count) });
      }
    })();
    await Promise.all([joining, write(one, "group-mixed", namesOf("m", 60))]);

    const [record] = await one.conversations.load([{ app: "app", conversation: "group-mixed" }]);
    expect(record?.head).toBe(75);
    expect(record?.members.map(({ user }) => user)).toEqual(members(15).map(({ user }) => user));
  });

  it("let one of them have an idempotency key, wherever the others want it", async () => {
    const contest = (round: number) =>
      stores.map((store, index) =>
        store.events.commit([
          run(`group-${round}-${index}`, 0, [`before-${round}-${index}`, `same-${round}`]),
        ]),
      );

    for (let round = 0; round < 10; round += 1) {
      const results = (await Promise.all(contest(round))).flat();

      const committed = results.filter(({ status }) => status === "committed");
      const repeats = results.filter((result) => result.status === "repeat");
      expect([committed.length, repeats.length]).toEqual([1, 2]);
      for (const { index, existing } of repeats) {
        expect([index, existing.clientMessageId]).toEqual([1, `same-${round}`]);
      }
    }
  });

  it("find a head that a process which died did not leave in the conversation's document", async () => {
    const [one, two] = stores as readonly [MongoStore, MongoStore, MongoStore];
    await write(one, "group-lag", namesOf("lag", 30), {
      members: [{ user: "zoe", role: "member", intervals: [[1, null]] }],
    });

    // The document's head is raised up to a second behind the events: these look before.
    const heads = await two.conversations.heads("app", "zoe", 10);
    const view = await two.conversations.view("app", "group-lag", "zoe");

    expect(heads).toEqual([{ conversation: "group-lag", head: 30 }]);
    expect(view).toMatchObject({ head: 30, last: { seq: 30 }, unread: 30 });
  });

  it("share the webhook outbox: every delivery goes to one worker, in the order of its lane", async () => {
    const endpoint = "https://backend.example/shared";
    const rows = Array.from({ length: 60 }, (_, index) => ({
      ...{ id: `shared-${index}`, endpoint, app: "app", orderKey: `lane-${index % 12}` },
      ...{ event: "message-sent", body: "{}", createdAt: 1_000 },
    }));
    await Promise.all(stores.map((store) => store.webhooks.enqueue(rows)));
    const taken: string[] = [];
    const enqueued = await (stores[0] as MongoStore).webhooks.list({ endpoint, limit: 100 });
    const positionOf = new Map(enqueued.map(({ id, position }) => [id, position]));
    const positions = (order: readonly number[]) => order.map((row) => positionOf.get(`shared-${row}`) ?? 0);

    async function work(store: MongoStore): Promise<void> {
      while (taken.length < rows.length) {
        const leased = await store.webhooks.lease({ endpoint, now: 2_000, leaseUntil: 9_000, limit: 4 });
        taken.push(...leased.map(({ id }) => id));
        await store.webhooks.settle(
          leased.map(({ id }) => ({
            ...{
              id,
              leaseUntil: 9_000,
              state: "delivered",
              nextAttemptAt: 0,
              status: 200,
              error: null,
              at: 2_001,
            },
          })),
        );
      }
    }
    await Promise.all(stores.map(work));

    expect(taken.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
    for (let lane = 0; lane < 12; lane += 1) {
      const order = taken.map((id) => Number(id.slice("shared-".length))).filter((row) => row % 12 === lane);
      expect(positions(order)).toEqual(positions(order).toSorted((a, b) => a - b));
    }
    const stored = await (stores[0] as MongoStore).webhooks.list({ endpoint, limit: 100 });
    expect(stored.every(({ state, attempts }) => state === "delivered" && attempts === 1)).toBe(true);
  });

  it("tell a person's coming online once", async () => {
    const lease = { app: "app", user: "solo", expiresAt: 9_000 };

    const answers = await Promise.all(
      stores.map((store, index) => store.presence.renew([{ ...lease, clientId: `client-${index}` }], 1_000)),
    );

    expect(answers.flat().filter(Boolean)).toHaveLength(1);
    const [seen] = await (stores[0] as MongoStore).presence.get("app", ["solo"], 2_000);
    expect(seen).toEqual({ online: true, lastSeen: 2_000 });
  });
});
