import type { WebhookQuery } from "@chat21/events";
import { describe, expect, it } from "vitest";
import { sampleDelivery, sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `WebhookStore`: rows, lists, replay, giving up, pruning. */
export function describeWebhookRows(world: StoreWorld): void {
  const { fresh } = world;

  /** Deliveries `<endpoint>-1` … of one endpoint, each in its own lane. */
  async function enqueue(endpoint: string, count: number) {
    const ids = Array.from({ length: count }, (_, index) => `${endpoint}-${index + 1}`);
    await world.store.webhooks.enqueue(ids.map((id) => sampleDelivery(id, { endpoint, orderKey: id })));
    return ids;
  }
  const list = async (query: Partial<WebhookQuery>) =>
    (await world.store.webhooks.list({ limit: 100, ...query })).map(({ id }) => id);
  const leaseAll = (endpoint: string, now: number) =>
    world.store.webhooks.lease({ endpoint, now, leaseUntil: now + 30, limit: 1_000 });

  /** Leases everything that is due and settles it. */
  async function settle(
    endpoint: string,
    now: number,
    states: Readonly<Record<string, "delivered" | "dead">>,
  ) {
    for (const { id } of await leaseAll(endpoint, now)) {
      const state = states[id];
      const outcome = {
        nextAttemptAt: now + 100,
        status: state === "dead" ? 410 : 200,
        error: null,
        at: now + 1,
      };
      await world.store.webhooks.settle([
        { id, leaseUntil: now + 30, state: state ?? "pending", ...outcome },
      ]);
    }
  }

  describe("webhook rows", () => {
    it("are enqueued in order, whole, and once", async () => {
      const endpoint = fresh("endpoint");
      const first = sampleDelivery(`${endpoint}-1`, { endpoint });
      const second = sampleDelivery(`${endpoint}-2`, { endpoint, event: "message-delivered" });

      const changed = { ...first, body: '{"changed":true}' };

      await world.store.webhooks.enqueue([first, second, changed]);
      await world.store.webhooks.enqueue([changed]);

      const progress = { state: "pending", attempts: 0, lastStatus: null, lastError: null, settledAt: null };
      const due = { queuedAt: sampleTime, nextAttemptAt: sampleTime, position: expect.any(Number) };
      const rows = await world.store.webhooks.list({ endpoint, limit: 10 });
      expect(rows).toEqual([
        { ...second, ...progress, ...due },
        { ...first, ...progress, ...due },
      ]);
      expect(rows[0]?.position).toBeGreaterThan(rows[1]?.position ?? 0);
    });

    it("from a time ahead are due when the clock is set back, with no lane behind another", async () => {
      const endpoint = fresh("endpoint");
      const day = 24 * 60 * 60_000;
      const ahead = sampleTime + day;
      const [front, behind, tried] = ["front", "behind", "tried"].map((name) => `${endpoint}-${name}`);
      const row = (id = "", orderKey = "lane") =>
        sampleDelivery(id, { endpoint, orderKey, createdAt: ahead });
      await world.store.webhooks.enqueue([row(tried, "other"), row(front), row(behind)]);
      const [first] = await world.store.webhooks.lease({
        endpoint,
        now: ahead,
        leaseUntil: ahead + 30,
        limit: 1,
      });
      const failed = {
        leaseUntil: ahead + 30,
        state: "pending",
        status: 500,
        error: "e",
        at: ahead,
      } as const;
      await world.store.webhooks.settle([{ id: tried ?? "", ...failed, nextAttemptAt: ahead + 50 }]);
      await world.store.webhooks.lease({ endpoint, now: ahead, leaseUntil: ahead + 30, limit: 1 });

      const bounds = { now: sampleTime, waitMs: 100, leaseMs: 30 };
      const changed = [
        await world.store.webhooks.bound(endpoint, bounds),
        await world.store.webhooks.bound(endpoint, bounds),
      ];

      expect(first?.id).toBe(tried);
      expect(changed).toEqual([3, 0]);
      expect(await world.store.webhooks.list({ endpoint, limit: 3 })).toMatchObject([
        { id: behind, queuedAt: sampleTime, nextAttemptAt: sampleTime },
        { id: front, queuedAt: sampleTime, nextAttemptAt: sampleTime },
        { id: tried, queuedAt: sampleTime, nextAttemptAt: sampleTime },
      ]);
      expect((await leaseAll(endpoint, sampleTime)).map(({ id }) => id)).toEqual([tried]);
      expect((await leaseAll(endpoint, sampleTime + 29)).map(({ id }) => id)).toEqual([]);
      expect((await leaseAll(endpoint, sampleTime + 30)).map(({ id }) => id)).toEqual([tried, front]);
    });

    it("are removed by id when they wait no more", async () => {
      const endpoint = fresh("endpoint");
      const [first, second, third] = await enqueue(endpoint, 3);
      await settle(endpoint, sampleTime, { [first ?? ""]: "delivered", [second ?? ""]: "dead" });

      const removed = [
        await world.store.webhooks.remove([first, second, third, "unknown"].map(String)),
        await world.store.webhooks.remove([first, second].map(String)),
      ];

      expect(removed).toEqual([2, 0]);
      expect(await list({ endpoint })).toEqual([third]);
    });

    it("are listed newest first by any of their marks, in pages", async () => {
      const endpoint = fresh("endpoint");
      const [one = "", two = "", three = "", four = ""] = await enqueue(endpoint, 4);
      const other = sampleDelivery(`${endpoint}-5`, { endpoint, event: "presence-change" });
      await world.store.webhooks.enqueue([other]);
      await settle(endpoint, sampleTime, { [one]: "dead", [two]: "delivered" });

      expect(await list({ endpoint })).toEqual([other.id, four, three, two, one]);
      expect(await list({ endpoint, state: "pending" })).toEqual([other.id, four, three]);
      expect(await list({ endpoint, state: "delivered" })).toEqual([two]);
      expect(await list({ endpoint, state: "dead" })).toEqual([one]);
      expect(await list({ endpoint, event: "presence-change" })).toEqual([other.id]);
      expect(await list({ id: three })).toEqual([three]);
      expect(await list({ id: three, state: "dead" })).toEqual([]);
      const [newest, next] = await world.store.webhooks.list({ endpoint, limit: 2 });
      expect([newest?.id, next?.id]).toEqual([other.id, four]);
      expect(await list({ endpoint, ...(next ? { before: next.position } : {}), limit: 2 })).toEqual([
        three,
        two,
      ]);
    });
  });

  describe("webhook replay", () => {
    it("makes rows pending again by id, whatever their state", async () => {
      const endpoint = fresh("endpoint");
      const [one = "", two = "", three = ""] = await enqueue(endpoint, 3);
      await settle(endpoint, sampleTime, { [one]: "dead", [two]: "delivered" });

      const now = sampleTime + 40;
      const count = await world.store.webhooks.replay({ ids: [one, two, three, "unknown", one] }, now);

      expect(count).toBe(3);
      const rows = await world.store.webhooks.list({ endpoint, limit: 10 });
      const again = { state: "pending", attempts: 0, queuedAt: now, nextAttemptAt: now, settledAt: null };
      expect(rows).toMatchObject([again, again, again]);
      expect((await leaseAll(endpoint, now)).map(({ id }) => id)).toEqual([one, two, three]);
    });

    it("makes all dead rows of an endpoint pending again, however many, and no others", async () => {
      const [endpoint, other] = [fresh("endpoint"), fresh("endpoint")];
      const ids = await enqueue(endpoint, 700);
      const [elsewhere = ""] = await enqueue(other, 1);
      const dead = Object.fromEntries([...ids.slice(1), elsewhere].map((id) => [id, "dead"] as const));
      const leaseUntil = sampleTime + 30;
      const outcome = { leaseUntil, nextAttemptAt: 0, status: null, error: "gone", at: sampleTime };
      const rows = [...(await leaseAll(endpoint, sampleTime)), ...(await leaseAll(other, sampleTime))];
      await world.store.webhooks.settle(
        rows.map(({ id }) => ({ id, state: dead[id] ?? "delivered", ...outcome })),
      );

      const count = await world.store.webhooks.replay({ deadOf: endpoint }, sampleTime + 50);

      expect(count).toBe(699);
      expect(await list({ endpoint, state: "dead" })).toEqual([]);
      expect(await list({ endpoint, state: "delivered" })).toEqual([ids[0]]);
      expect(await list({ endpoint: other, state: "dead" })).toEqual([elsewhere]);
    });

    it("leaves a row alone that is leased at that moment", async () => {
      const endpoint = fresh("endpoint");
      const [one = ""] = await enqueue(endpoint, 1);
      await leaseAll(endpoint, sampleTime);

      const during = await world.store.webhooks.replay({ ids: [one] }, sampleTime + 29);
      const afterwards = await world.store.webhooks.replay({ ids: [one] }, sampleTime + 30);

      expect([during, afterwards]).toEqual([0, 1]);
    });

    it("puts an older row before the pending ones of its order again", async () => {
      const endpoint = fresh("endpoint");
      const [first = "", second = ""] = ["1", "2"].map((n) => `${endpoint}-${n}`);
      await world.store.webhooks.enqueue([first, second].map((id) => sampleDelivery(id, { endpoint })));
      await settle(endpoint, sampleTime, { [first]: "dead" });

      await world.store.webhooks.replay({ ids: [first] }, sampleTime + 40);

      expect((await leaseAll(endpoint, sampleTime + 40)).map(({ id }) => id)).toEqual([first]);
    });
  });

  describe("webhook giving up", () => {
    it("makes old pending rows dead that are not leased, without counting an attempt", async () => {
      const [endpoint, other] = [fresh("endpoint"), fresh("endpoint")];
      const [one = "", two = "", three = ""] = await enqueue(endpoint, 3);
      await enqueue(other, 1);
      await world.store.webhooks.lease({ endpoint, now: sampleTime, leaseUntil: sampleTime + 500, limit: 1 });
      await world.store.webhooks.replay({ ids: [two] }, sampleTime + 60);

      const count = await world.store.webhooks.giveUp(
        { endpoint, queuedBefore: sampleTime + 60 },
        sampleTime + 100,
        "too old",
      );

      expect(count).toBe(1);
      expect(await list({ endpoint, state: "pending" })).toEqual([two, one]);
      expect(await list({ endpoint: other, state: "pending" })).toHaveLength(1);
      expect((await world.store.webhooks.list({ id: three, limit: 1 }))[0]).toMatchObject({
        ...{ state: "dead", attempts: 0, lastError: "too old", settledAt: sampleTime + 100 },
      });
    });

    it("lets the next one of its order come forward", async () => {
      const endpoint = fresh("endpoint");
      const [old = "", young = ""] = ["old", "young"].map((name) => `${endpoint}-${name}`);
      await world.store.webhooks.enqueue([
        sampleDelivery(old, { endpoint }),
        sampleDelivery(young, { endpoint, createdAt: sampleTime + 10 }),
      ]);

      await world.store.webhooks.giveUp(
        { endpoint, queuedBefore: sampleTime + 5 },
        sampleTime + 20,
        "too old",
      );

      expect((await leaseAll(endpoint, sampleTime + 20)).map(({ id }) => id)).toEqual([young]);
    });
  });

  describe("webhook pruning", () => {
    it("removes settled rows of one state, the oldest first, at most as many as asked", async () => {
      const endpoint = fresh("endpoint");
      const prune = (state: "delivered" | "dead", before: number, limit: number) =>
        world.store.webhooks.prune(state, before, limit);
      while ((await prune("delivered", Number.MAX_SAFE_INTEGER, 500)) > 0);
      const [one = "", two = "", three = "", four = ""] = await enqueue(endpoint, 4);
      for (const [index, id] of [three, one, two].entries()) {
        const now = sampleTime + index;
        await world.store.webhooks.replay({ ids: [id] }, now);
        await settle(endpoint, now, { [id]: "delivered" });
      }

      const none = await prune("delivered", sampleTime + 1, 10);
      const oldest = await prune("delivered", sampleTime + 100, 1);
      const left = await list({ endpoint, state: "delivered" });
      const rest = await prune("delivered", sampleTime + 100, 10);

      expect([none, oldest, rest]).toEqual([0, 1, 2]);
      expect(left).toEqual([two, one]);
      expect(await list({ endpoint })).toEqual([four]);
    });
  });
}
