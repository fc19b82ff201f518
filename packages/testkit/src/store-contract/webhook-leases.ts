import type { WebhookOutcome } from "@chat21/events";
import { describe, expect, it } from "vitest";
import { sampleDelivery, sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `WebhookStore`: leases and their order. */
export function describeWebhookLeases(world: StoreWorld): void {
  const lease = async (endpoint: string, now: number, leaseUntil: number, limit = 100) =>
    (await world.store.webhooks.lease({ endpoint, now, leaseUntil, limit })).map(
      ({ id }) => id.split("/")[1],
    );
  const dueAt = async (endpoint: string) =>
    (await world.store.webhooks.due()).find((due) => due.endpoint === endpoint)?.dueAt;

  /** Deliveries named after their lane: `a1` and `a2` have an order, `b1` is independent of them. */
  async function enqueue(...names: string[]): Promise<string> {
    const endpoint = world.fresh("endpoint");
    await world.store.webhooks.enqueue(
      names.map((name) => sampleDelivery(`${endpoint}/${name}`, { endpoint, orderKey: name.slice(0, 1) })),
    );
    return endpoint;
  }
  const settle = (endpoint: string, name: string, outcome: Partial<WebhookOutcome>) =>
    world.store.webhooks.settle([
      {
        ...{ id: `${endpoint}/${name}`, leaseUntil: sampleTime + 30, state: "delivered", nextAttemptAt: 0 },
        ...{ status: 200, error: null, at: sampleTime + 1, ...outcome },
      },
    ]);

  describe("webhook leases", () => {
    it("hand out fronts only, of those due at one time the lowest position first, up to the limit", async () => {
      const endpoint = await enqueue("a1", "a2", "b1", "c1", "b2");

      expect(await lease(endpoint, sampleTime, sampleTime + 30, 2)).toEqual(["a1", "b1"]);
      expect(await lease(endpoint, sampleTime, sampleTime + 30)).toEqual(["c1"]);
      expect(await lease(endpoint, sampleTime, sampleTime + 30)).toEqual([]);
    });

    it("are of one endpoint", async () => {
      const [endpoint, other] = [await enqueue("a1"), await enqueue("a1")];

      expect(await lease(other, sampleTime, sampleTime + 30)).toEqual(["a1"]);
      expect(await lease(endpoint, sampleTime, sampleTime + 30)).toEqual(["a1"]);
      expect(await lease(world.fresh("endpoint"), sampleTime, sampleTime + 30)).toEqual([]);
    });

    it("begin when a row is due, and begin anew when they ran out", async () => {
      const endpoint = await enqueue("a1");

      const early = await lease(endpoint, sampleTime - 1, sampleTime + 30);
      const first = await lease(endpoint, sampleTime, sampleTime + 30);
      const held = await lease(endpoint, sampleTime + 29, sampleTime + 90);
      const again = await lease(endpoint, sampleTime + 30, sampleTime + 60);

      expect([early, first, held, again]).toEqual([[], ["a1"], [], ["a1"]]);
    });

    it("end with the outcome, and the next of the order comes forward", async () => {
      const endpoint = await enqueue("a1", "a2", "a3");
      await lease(endpoint, sampleTime, sampleTime + 30);

      await settle(endpoint, "a1", { state: "delivered", status: 204 });
      const second = await lease(endpoint, sampleTime, sampleTime + 30);
      await settle(endpoint, "a2", { state: "dead", status: null, error: "refused" });
      const third = await lease(endpoint, sampleTime, sampleTime + 30);

      expect([second, third]).toEqual([["a2"], ["a3"]]);
      const rows = await world.store.webhooks.list({ endpoint, limit: 10 });
      expect(
        rows.map(({ state, attempts, lastStatus, lastError, settledAt }) => [
          ...[state, attempts, lastStatus, lastError, settledAt],
        ]),
      ).toEqual([
        ["pending", 0, null, null, null],
        ["dead", 1, null, "refused", sampleTime + 1],
        ["delivered", 1, 204, null, sampleTime + 1],
      ]);
    });

    it("of a front that has to wait hold back what is behind it", async () => {
      const endpoint = await enqueue("a1", "a2", "b1");
      await lease(endpoint, sampleTime, sampleTime + 30);

      await settle(endpoint, "a1", {
        state: "pending",
        nextAttemptAt: sampleTime + 500,
        status: 503,
        error: "busy",
      });

      expect(await lease(endpoint, sampleTime + 499, sampleTime + 530)).toEqual(["b1"]);
      const [row] = await world.store.webhooks.lease({
        ...{ endpoint, now: sampleTime + 500, leaseUntil: sampleTime + 530, limit: 1 },
      });
      expect(row).toMatchObject({ id: `${endpoint}/a1`, attempts: 1, lastStatus: 503, lastError: "busy" });
      expect(row).toMatchObject({ nextAttemptAt: sampleTime + 500, settledAt: null });
    });

    it("that went to somebody else are not ended by the first holder", async () => {
      const endpoint = await enqueue("a1", "a2");
      await lease(endpoint, sampleTime, sampleTime + 30);
      await lease(endpoint, sampleTime + 40, sampleTime + 70);

      await settle(endpoint, "a1", { leaseUntil: sampleTime + 30 });
      const held = await lease(endpoint, sampleTime + 41, sampleTime + 80);
      await settle(endpoint, "a1", { leaseUntil: sampleTime + 70 });
      await settle(endpoint, "a1", { leaseUntil: sampleTime + 70, state: "dead" });
      await settle(endpoint, "unknown", {});

      expect(held).toEqual([]);
      const [, row] = await world.store.webhooks.list({ endpoint, limit: 2 });
      expect(row).toMatchObject({ state: "delivered", attempts: 1 });
    });

    it("are due, by endpoint, at the earliest of the fronts", async () => {
      const endpoint = await enqueue("a1", "a2", "b1");
      const before = await dueAt(endpoint);
      await lease(endpoint, sampleTime, sampleTime + 30);
      const leased = await dueAt(endpoint);
      await settle(endpoint, "a1", { state: "pending", nextAttemptAt: sampleTime + 20 });
      const waiting = await dueAt(endpoint);
      await lease(endpoint, sampleTime + 25, sampleTime + 60);
      await settle(endpoint, "a1", { leaseUntil: sampleTime + 60 });
      const next = await dueAt(endpoint);
      await settle(endpoint, "b1", {});
      await lease(endpoint, sampleTime + 25, sampleTime + 30);
      await settle(endpoint, "a2", {});

      expect([before, leased, waiting, next]).toEqual([
        sampleTime,
        sampleTime + 30,
        sampleTime + 20,
        sampleTime,
      ]);
      expect(await dueAt(endpoint)).toBeUndefined();
    });

    it("go by the time at which they were due, however many fronts are due", async () => {
      const endpoint = world.fresh("endpoint");
      const names = Array.from({ length: 1_500 }, (_, index) => String(index).padStart(4, "0"));
      await world.store.webhooks.enqueue(
        names.map((name, index) =>
          sampleDelivery(`${endpoint}/${name}`, {
            endpoint,
            orderKey: name,
            createdAt: sampleTime + 2_000 - index,
          }),
        ),
      );

      const first = await lease(endpoint, sampleTime + 2_000, sampleTime + 3_000, 700);
      const rest = await lease(endpoint, sampleTime + 2_000, sampleTime + 3_000, 2_000);

      expect([...first, ...rest]).toEqual(names.toReversed());
    });

    it("go from the other end to those that became due last, if they are asked for", async () => {
      const endpoint = await enqueue("a1", "b1", "c1", "a2");
      const newest = async (now: number, limit: number) => {
        const asked = { endpoint, now, leaseUntil: sampleTime + 90, limit, turn: "newest" } as const;
        return (await world.store.webhooks.lease(asked)).map(({ id }) => id.split("/")[1]);
      };
      await lease(endpoint, sampleTime, sampleTime + 30, 1);
      await settle(endpoint, "a1", { state: "pending", nextAttemptAt: sampleTime + 20 });

      expect(await newest(sampleTime + 19, 1)).toEqual(["c1"]);
      expect(await newest(sampleTime + 20, 9)).toEqual(["a1", "b1"]);
    });

    it("go to a row that is new before one that is due again later, though that one is older", async () => {
      const endpoint = await enqueue("a1", "b1");
      await lease(endpoint, sampleTime, sampleTime + 30, 1);
      await settle(endpoint, "a1", { state: "pending", nextAttemptAt: sampleTime + 20 });

      expect(await lease(endpoint, sampleTime + 20, sampleTime + 60, 1)).toEqual(["b1"]);
      expect(await lease(endpoint, sampleTime + 20, sampleTime + 60, 1)).toEqual(["a1"]);
    });

    it("go to the next of the order when its front is given up by id, unless that is leased", async () => {
      const endpoint = await enqueue("a1", "a2", "b1");
      const giveUp = (now: number) =>
        world.store.webhooks.giveUp({ ids: [`${endpoint}/a1`, "unknown"] }, now, "skipped");
      await lease(endpoint, sampleTime, sampleTime + 30);

      expect(await giveUp(sampleTime + 29)).toBe(0);
      expect(await giveUp(sampleTime + 30)).toBe(1);
      expect(await giveUp(sampleTime + 30)).toBe(0);

      expect(await lease(endpoint, sampleTime + 30, sampleTime + 60)).toEqual(["a2", "b1"]);
      const [row] = await world.store.webhooks.list({ id: `${endpoint}/a1`, limit: 1 });
      expect(row).toMatchObject({ state: "dead", lastError: "skipped", attempts: 0 });
    });

    it("begin at once for fronts that waited and are hastened, of that endpoint only, with their attempts", async () => {
      const endpoint = await enqueue("a1", "a2", "b1", "c1");
      const other = await enqueue("a1");
      await lease(endpoint, sampleTime, sampleTime + 30);
      await lease(other, sampleTime, sampleTime + 30);
      const later = { state: "pending", nextAttemptAt: sampleTime + 9_000 } as const;
      for (const name of ["b1", "a1"]) await settle(endpoint, name, later);
      await settle(other, "a1", later);

      const hastened = await world.store.webhooks.hasten(endpoint, sampleTime + 10);

      expect(hastened).toBe(2);
      expect(await dueAt(endpoint)).toBe(sampleTime + 10);
      const rows = await world.store.webhooks.lease({
        ...{ endpoint, now: sampleTime + 10, leaseUntil: sampleTime + 40, limit: 9 },
      });
      expect(rows.map(({ id, attempts }) => [id, attempts])).toEqual([
        [`${endpoint}/a1`, 1],
        [`${endpoint}/b1`, 1],
      ]);
      expect(await dueAt(other)).toBe(sampleTime + 9_000);
      expect(await world.store.webhooks.hasten(endpoint, sampleTime + 10)).toBe(0);
    });
  });
}
