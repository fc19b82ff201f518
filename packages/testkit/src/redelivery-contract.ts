import type { EventRef, RedeliveryLog, Store } from "@chat21/engine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleRun, sampleTime } from "./store-contract/samples.ts";

const late = sampleTime + 1_000_000;

/** Two processes on one new, empty store. */
export interface OpenedRedeliveries {
  readonly one: Store & { readonly redeliveries: RedeliveryLog };
  readonly two: Store & { readonly redeliveries: RedeliveryLog };
  cleanup(): Promise<void>;
}

/** The contract of every `RedeliveryLog`, sentence by sentence of the port's documentation. */
export function describeRedeliveryLog(name: string, open: () => Promise<OpenedRedeliveries>): void {
  describe(name, () => {
    let world: OpenedRedeliveries;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world.cleanup());

    const refs = (app: string, ...seqs: number[]): EventRef[] =>
      seqs.map((seq) => ({ app, conversation: "ann.bob", seq }));
    const known = async (app: string) =>
      (await world.two.redeliveries.unacknowledged(app, "ann.bob")).map(({ seq }) => seq);
    const undispatched = async (app: string) =>
      (await world.two.events.undispatched(1_000, late))
        .filter((event) => event.app === app)
        .map(({ seq }) => seq);

    it("names what is undispatched, whole and in order, of that conversation alone", async () => {
      const run = sampleRun("whole", "ann.bob", { count: 3 });
      await world.one.events.commit([run, sampleRun("whole", "ann.cid"), sampleRun("whole2", "ann.bob")]);

      expect(await world.two.redeliveries.unacknowledged("whole", "ann.bob")).toEqual(run.events);
      expect(await known("none")).toEqual([]);
    });

    it("keeps what was dispatched in another's place, and lets no sweep find it again", async () => {
      await world.one.events.commit([sampleRun("kept", "ann.bob", { count: 4 })]);

      await world.two.redeliveries.markRedispatched(refs("kept", 2, 3));
      await world.two.redeliveries.markRedispatched(refs("kept", 3));

      expect(await undispatched("kept")).toEqual([1, 4]);
      expect(await known("kept")).toEqual([1, 2, 3, 4]);
    });

    it("forgets what its own process dispatched and marked", async () => {
      await world.one.events.commit([sampleRun("own", "ann.bob", { count: 3 })]);

      world.one.events.markDispatched(refs("own", 1, 2));
      await world.one.events.flushDispatchMarks();

      expect(await known("own")).toEqual([3]);
    });

    it("does not bring back what was marked as dispatched before", async () => {
      await world.one.events.commit([sampleRun("late", "ann.bob", { count: 2 })]);
      world.one.events.markDispatched(refs("late", 1));
      await world.one.events.flushDispatchMarks();

      await world.two.redeliveries.markRedispatched(refs("late", 1, 2));

      expect(await known("late")).toEqual([2]);
    });

    it("knows again what was marked as dispatched and could not be acknowledged, and lets no sweep find it", async () => {
      await world.one.events.commit([sampleRun("again", "ann.bob", { count: 3 })]);
      world.one.events.markDispatched(refs("again", 1, 2));
      await world.one.events.flushDispatchMarks();

      await world.one.redeliveries.markUnacknowledged(refs("again", 2, 3));
      await world.one.redeliveries.markUnacknowledged(refs("again", 2));

      expect(await known("again")).toEqual([2, 3]);
      expect(await undispatched("again")).toEqual([]);
    });

    it("takes thousands of them, and none", async () => {
      await world.one.events.commit([sampleRun("many", "ann.bob", { count: 2_500 })]);
      const seqs = Array.from({ length: 2_500 }, (_, index) => index + 1);

      await world.two.redeliveries.markRedispatched(refs("many", ...seqs));
      await world.two.redeliveries.markRedispatched([]);

      expect(await undispatched("many")).toEqual([]);
      expect(await known("many")).toHaveLength(1_000);
    });
  });
}
