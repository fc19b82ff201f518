import type { Store } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { sampleErasures, sampleRun, sampleTime } from "./samples.ts";
import type { OpenStore, StoreWorld } from "./store-world.ts";

const late = sampleTime + 1_000_000;

/** `EventLog.undispatched`, `markDispatched` and `flushDispatchMarks`. */
export function describeDispatchMarks(world: StoreWorld, open: OpenStore): void {
  const waiting = async (store: Store, limit = 100, before = late) =>
    (await store.events.undispatched(limit, before)).map(({ conversation, seq }) => `${conversation} ${seq}`);
  const refs = (app: string, conversation: string, ...seqs: number[]) =>
    seqs.map((seq) => ({ app, conversation, seq }));

  describe("dispatch marks", () => {
    it("count every stored event as undispatched, whole and oldest first", async () => {
      const { store, cleanup } = await open();
      const runs = [sampleRun("app", "ann.bob", { count: 2 }), sampleRun("app", "ann.cid")];
      await store.events.commit(runs);
      await store.events.commit([sampleRun("app", "ann.bob", { expectedHead: 2 })]);

      const found = await store.events.undispatched(100, late);

      expect(found.slice(0, 3)).toEqual(runs.flatMap(({ events }) => events));
      expect(await waiting(store)).toEqual(["ann.bob 1", "ann.bob 2", "ann.cid 1", "ann.bob 3"]);
      expect(await waiting(store, 2)).toEqual(["ann.bob 1", "ann.bob 2"]);
      await cleanup();
    });

    it("answer only what was committed before the given moment", async () => {
      const { store, cleanup } = await open();
      await store.events.commit([sampleRun("app", "ann.bob", { count: 3 })]);

      const found = await waiting(store, 100, sampleTime + 2);

      expect(found).toEqual(["ann.bob 1"]);
      await cleanup();
    });

    it("answer for one conversation alone, in its order and whatever else waits", async () => {
      const { store, cleanup } = await open();
      await store.events.commit([
        sampleRun("app", "ann.bob", { count: 4 }),
        sampleRun("app", "ann.cid", { count: 2 }),
        sampleRun("other", "ann.bob"),
      ]);
      await store.events.commit([sampleRun("app", "ann.bob", { expectedHead: 4, count: 2 })]);
      store.events.markDispatched([...refs("app", "ann.bob", 1, 3), ...refs("app", "ann.cid", 1, 2)]);
      const of = async (app: string, conversation: string, limit = 100, before = late) =>
        (await store.events.undispatched(limit, before, { app, conversation })).map(({ app: its, seq }) => [
          its,
          seq,
        ]);

      expect(await of("app", "ann.bob")).toEqual([2, 4, 5, 6].map((seq) => ["app", seq]));
      expect(await of("app", "ann.bob", 2)).toEqual([2, 4].map((seq) => ["app", seq]));
      expect(await of("app", "ann.bob", 100, sampleTime + 5)).toEqual([2, 4].map((seq) => ["app", seq]));
      expect(await of("other", "ann.bob")).toEqual([["other", 1]]);
      expect([await of("app", "ann.cid"), await of("app", "group-none")]).toEqual([[], []]);
      await cleanup();
    });

    it("are durable when a flush resolves, for every store on the same data", async () => {
      const { store, reopen, cleanup } = await open();
      await store.events.commit([sampleRun("app", "ann.bob", { count: 5 })]);

      store.events.markDispatched(refs("app", "ann.bob", 1));
      const first = store.events.flushDispatchMarks();
      store.events.markDispatched(refs("app", "ann.bob", 3));
      const second = store.events.flushDispatchMarks();
      await Promise.all([first, second, store.events.flushDispatchMarks()]);
      const found = await waiting(await reopen());

      expect(found).toEqual(["ann.bob 2", "ann.bob 4", "ann.bob 5"]);
      await cleanup();
    });

    it("are cleared at once for their own store, in any order, and twice is once", async () => {
      const { store, cleanup } = await open();
      const runs = [sampleRun("app", "ann.bob", { count: 5 }), sampleRun("app", "ann.cid", { count: 2 })];
      await store.events.commit(runs);

      store.events.markDispatched([...refs("app", "ann.cid", 1), ...refs("app", "ann.bob", 4, 2)]);
      const some = await waiting(store);
      store.events.markDispatched(refs("app", "ann.bob", 2, 1, 3));
      const few = await waiting(store);
      store.events.markDispatched([...refs("app", "ann.bob", 1, 2, 3, 4, 5), ...refs("app", "ann.cid", 2)]);

      expect(some).toEqual(["ann.bob 1", "ann.bob 3", "ann.bob 5", "ann.cid 2"]);
      expect(few).toEqual(["ann.bob 5", "ann.cid 2"]);
      expect(await waiting(store)).toEqual([]);
      await cleanup();
    });

    it("of events that do not exist have no effect", async () => {
      const { store, cleanup } = await open();
      await store.events.commit([sampleRun("app", "ann.bob")]);

      store.events.markDispatched([...refs("app", "ann.bob", 2, 9), ...refs("app", "group-none", 1)]);
      await store.events.commit([sampleRun("app", "ann.bob", { expectedHead: 1 })]);

      expect(await waiting(store)).toEqual(["ann.bob 1", "ann.bob 2"]);
      await cleanup();
    });

    it("stay cleared when a run comes that knows an older head", async () => {
      const { store, cleanup } = await open();
      await store.events.commit([sampleRun("app", "ann.bob", { count: 2 })]);

      store.events.markDispatched(refs("app", "ann.bob", 1, 2));
      const other = { messageId: "id-other", clientMessageId: "key-other" };
      const [stale] = await store.events.commit([
        sampleRun("app", "ann.bob", { expectedHead: 1, events: [other] }),
      ]);

      expect(stale).toMatchObject({ status: "stale" });
      expect(await waiting(store)).toEqual([]);
      await cleanup();
    });

    it("survive a close, those that are cleared and those that are not", async () => {
      const { store, reopen, cleanup } = await open();
      await store.events.commit([sampleRun("app", "ann.bob", { count: 6 })]);
      store.events.markDispatched(refs("app", "ann.bob", 1, 2, 4));

      const again = await reopen();
      const found = await waiting(again);
      again.events.markDispatched(refs("app", "ann.bob", 3, 5));

      expect(found).toEqual(["ann.bob 3", "ann.bob 5", "ann.bob 6"]);
      expect(await waiting(again)).toEqual(["ann.bob 6"]);
      await cleanup();
    });

    it("are found for events that a clock ahead committed", async () => {
      const { store, cleanup } = await open();
      await store.events.commit([sampleRun("app", "ann.bob"), sampleRun("app", "ann.eve")]);
      const [{ committedAt = 0 } = {}] = await store.events.undispatched(10, late);

      const found = [
        await store.events.undispatched(10, { before: committedAt - 10, after: committedAt - 1 }),
        await store.events.undispatched(10, { before: committedAt - 10, after: committedAt + 100_000 }),
        await store.events.undispatched(
          10,
          { before: committedAt - 10, after: committedAt - 1 },
          { app: "app", conversation: "ann.eve" },
        ),
      ];

      expect(found.map((events) => events.map(({ conversation }) => conversation).toSorted())).toEqual([
        ["ann.bob", "ann.eve"],
        [],
        ["ann.eve"],
      ]);
      await cleanup();
    });

    it("stay for an event that is erased, and patches between events leave none", async () => {
      const { store, reopen, cleanup } = await open();
      await store.events.commit([sampleRun("app", "ann.bob")]);
      await store.conversations.patch([{ app: "app", conversation: "ann.bob", user: "ann", read: 1 }]);
      const amendments = sampleErasures(2, 1);
      await store.events.commit([sampleRun("app", "ann.bob", { expectedHead: 1, amendments })]);
      await store.conversations.patch([{ app: "app", conversation: "ann.bob", user: "bob", read: 1 }]);

      const found = await store.events.undispatched(10, late);
      const again = await reopen();

      expect(found).toMatchObject([
        { seq: 1, body: "{}" },
        { seq: 2, body: expect.stringContaining("ann.bob-2") },
      ]);
      expect(await waiting(again)).toEqual(["ann.bob 1", "ann.bob 2"]);
      await cleanup();
    });
  });

  it("has no marks to clear in an empty list", async () => {
    world.store.events.markDispatched([]);

    expect(await world.store.events.undispatched(1, 0)).toEqual([]);
    await expect(world.store.events.flushDispatchMarks()).resolves.toBeUndefined();
  });
}
