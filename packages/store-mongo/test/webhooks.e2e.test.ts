import type { StoredWebhookDelivery, WebhookDelivery } from "@chat21/events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MongoStore } from "../src/index.ts";
import { openStores, type SharedDatabase, withCollections } from "./test-database.ts";

let mongo: SharedDatabase["mongo"];
let stores: SharedDatabase["stores"];
let close: SharedDatabase["close"];

beforeAll(async () => {
  ({ mongo, stores, close } = await openStores(3));
});
afterAll(() => close());

const longMs = 60_000;

function row(endpoint: string, orderKey: string, number: number): WebhookDelivery {
  const event = { app: "app", event: "message-sent", body: "{}", createdAt: 1_000 };
  return { id: `${endpoint}/${orderKey}/${number}`, endpoint, orderKey, ...event };
}

const outcomeOf = ({ id }: StoredWebhookDelivery, leaseUntil: number) => ({
  ...{ id, leaseUntil, state: "delivered" as const, nextAttemptAt: 0, status: 200, error: null, at: 2_000 },
});

/** The endpoint's lanes as they are stored, and as the pending rows say they should be. */
function lanesOf(endpoint: string) {
  return withCollections(mongo, async ({ deliveries, lanes }) => {
    const pending = await deliveries.find({ endpoint, state: "pending" }).sort({ position: -1 }).toArray();
    const told = await lanes.find({ endpoint }).toArray();
    return {
      told: new Map(told.map(({ _id, position }) => [_id.orderKey, position])),
      wanted: new Map(pending.map(({ orderKey, position }) => [orderKey, position])),
    };
  });
}

describe("webhooks of several processes", () => {
  it("of few lanes are each leased once, in their order, while all processes add, lease and settle", async () => {
    const endpoint = "https://busy.example";
    const lanes = ["a", "b", "c"];
    const perLane = 60;
    const seen: string[] = [];
    let left = lanes.length * perLane;

    const add = async (store: MongoStore, lane: string) => {
      for (let number = 0; number < perLane; number += 3) {
        await store.webhooks.enqueue([0, 1, 2].map((more) => row(endpoint, lane, number + more)));
      }
    };
    const work = async (store: MongoStore, turn: "newest" | "oldest") => {
      while (left > 0) {
        const leaseUntil = 1_000 + longMs;
        const rows = await store.webhooks.lease({ endpoint, now: 1_000, leaseUntil, limit: 2, turn });
        seen.push(...rows.map(({ id }) => id));
        left -= rows.length;
        await store.webhooks.settle(rows.map((leased) => outcomeOf(leased, leaseUntil)));
      }
    };
    const turns = ["oldest", "newest", "oldest"] as const;
    await Promise.all([
      ...stores.map((store, index) => add(store, lanes[index] as string)),
      ...stores.map((store, index) => work(store, turns[index] as "oldest")),
    ]);

    for (const lane of lanes) {
      const own = seen.filter((id) => id.startsWith(`${endpoint}/${lane}/`));
      expect(own).toEqual(Array.from({ length: perLane }, (_, number) => `${endpoint}/${lane}/${number}`));
    }
    expect(await lanesOf(endpoint)).toEqual({ told: new Map(), wanted: new Map() });
  }, 60_000);

  it("of one lane may be added by all processes at the same time", async () => {
    const endpoint = "https://one.example";
    const add = async (store: MongoStore, from: number) => {
      for (let number = 0; number < 40; number += 1)
        await store.webhooks.enqueue([row(endpoint, "a", from + number)]);
    };

    await Promise.all(stores.map((store, index) => add(store, index * 100)));

    const { told, wanted } = await lanesOf(endpoint);
    expect(told).toEqual(wanted);
    expect(wanted.size).toBe(1);
  }, 60_000);
});

describe("a process that was killed in the middle", () => {
  const lease = (endpoint: string, now: number, limit = 10) =>
    (stores[0] as MongoStore).webhooks.lease({ endpoint, now, leaseUntil: now + longMs, limit });

  it("of adding rows leaves them to its successor, which adds them again", async () => {
    const endpoint = "https://added.example";
    await stores[0]?.webhooks.enqueue([row(endpoint, "a", 1)]);
    await withCollections(mongo, ({ lanes }) => lanes.deleteMany({ endpoint }));

    await stores[1]?.webhooks.enqueue([row(endpoint, "a", 1)]);

    expect((await lease(endpoint, 1_000)).map(({ id }) => id)).toEqual([`${endpoint}/a/1`]);
  });

  it("of settling leaves its lane to the next lease", async () => {
    const endpoint = "https://settled.example";
    await stores[0]?.webhooks.enqueue([row(endpoint, "a", 1), row(endpoint, "a", 2), row(endpoint, "b", 1)]);
    await withCollections(mongo, ({ deliveries }) =>
      deliveries.updateMany({ _id: /\/1$/, endpoint }, { $set: { state: "delivered", settledAt: 1_000 } }),
    );

    const leased = [...(await lease(endpoint, 1_000)), ...(await lease(endpoint, 1_000))];

    expect(leased.map(({ id }) => id)).toEqual([`${endpoint}/a/2`]);
    const { told, wanted } = await lanesOf(endpoint);
    expect(told).toEqual(wanted);
  });

  it("of leasing keeps the rows until its lease ends, and holds up no others", async () => {
    const endpoint = "https://leased.example";
    await stores[0]?.webhooks.enqueue([row(endpoint, "a", 1), row(endpoint, "b", 1)]);
    await withCollections(mongo, ({ deliveries }) =>
      deliveries.updateOne({ _id: `${endpoint}/a/1` }, { $set: { leasedUntil: 5_000, leasedBy: "killed" } }),
    );

    const first = await lease(endpoint, 1_000, 1);
    const later = await lease(endpoint, 5_000, 1);

    expect(first.map(({ id }) => id)).toEqual([`${endpoint}/b/1`]);
    expect(later.map(({ id }) => id)).toEqual([`${endpoint}/a/1`]);
  });
});
