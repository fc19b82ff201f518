import { describe, expect, it } from "vitest";
import { sampleGroup, sampleMembers, sampleRun, sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `EventLog.commit`: stored runs and refused runs. */
export function describeCommit(world: StoreWorld): void {
  const everything = (app: string, conversation: string) =>
    world.store.events.read({ app, conversation, limit: 1_000, from: "oldest" });
  const load = async (app: string, conversation: string) =>
    (await world.store.conversations.load([{ app, conversation }]))[0];

  describe("commit", () => {
    it("stores a run's events as they are and answers how many", async () => {
      const app = world.fresh("app");
      const run = sampleRun(app, "ann.bob", {
        events: [
          { body: '{"text":"\u2028 😀 \\u0000","nested":{"__proto__":null},"n":1.50}' },
          { clientMessageId: null, tempUid: null, hiddenFor: "bob", listed: false, type: "group_updated" },
          { sender: "system", body: `{"text":"${"x".repeat(60_000)}"}`, timestamp: sampleTime + 9_000 },
        ],
      });

      const results = await world.store.events.commit([run]);

      expect(results).toEqual([{ status: "committed", committed: 3 }]);
      expect(await everything(app, "ann.bob")).toEqual(run.events);
    });

    it("makes the conversation with the run's facts, its head and its last timestamp", async () => {
      const app = world.fresh("app");
      const conversation = `support-group-${"7".repeat(58)}-${"f".repeat(50)}`;
      const members = [
        { user: "zoe", role: "owner", intervals: [[1, null]] },
        { user: "ann", role: "member", intervals: [[1, 1]] },
      ] as const;

      await world.store.events.commit([
        sampleRun(app, conversation, { count: 2, transient: true, group: sampleGroup, members }),
      ]);

      expect(await load(app, conversation)).toEqual({
        ...{ app, conversation, kind: "group", head: 2, lastTimestamp: sampleTime + 2, transient: true },
        ...{ group: sampleGroup, members, archivedBy: [] },
      });
    });

    it("sets kind and transient with every run, and the group only where the run brings one", async () => {
      const app = world.fresh("app");
      const commit = (expectedHead: number, facts: object) =>
        world.store.events.commit([sampleRun(app, "group-1", { expectedHead, ...facts })]);
      await commit(0, { transient: true, group: { ...sampleGroup, attributes: null } });

      await commit(1, { transient: false });
      const unchanged = await load(app, "group-1");
      await commit(2, { kind: "channel", group: null });
      const cleared = await load(app, "group-1");

      expect(unchanged).toMatchObject({ transient: false, group: { ...sampleGroup, attributes: null } });
      expect(cleared).toMatchObject({ kind: "channel", group: null, head: 3 });
    });

    it("inserts and replaces members by user, keeps the others, their order and their places", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      await events.commit([sampleRun(app, "group-1", { members: sampleMembers(["zoe", "ann", "bob"]) })]);
      await conversations.patch([{ app, conversation: "group-1", user: "ann", read: 1, archivedAt: 1 }]);

      const changed = [
        { user: "cid", role: "member", intervals: [[2, null]] },
        { user: "ann", role: "owner", intervals: [[1, 2]] },
      ] as const;
      await events.commit([sampleRun(app, "group-1", { expectedHead: 1, members: changed })]);

      const record = await load(app, "group-1");
      expect(record?.members).toEqual([
        ...sampleMembers(["zoe"]),
        changed[1],
        ...sampleMembers(["bob"]),
        changed[0],
      ]);
      expect(record?.archivedBy).toEqual(["ann"]);
      expect(await conversations.view(app, "group-1", "ann")).toMatchObject({
        state: { read: 1, archivedAt: 1 },
      });
    });

    it.each([
      ["behind", 1],
      ["ahead of", 3],
    ])("answers stale and stores nothing when the run is %s the head", async (_, expectedHead) => {
      const app = world.fresh("app");
      await world.store.events.commit([sampleRun(app, "ann.bob", { count: 2 })]);
      const before = await load(app, "ann.bob");

      const each = { clientMessageId: "other", messageId: "other" };
      const run = sampleRun(app, "ann.bob", { expectedHead, each, members: sampleMembers(["eve"]) });
      const results = await world.store.events.commit([run]);

      expect(results).toEqual([{ status: "stale", committed: 0 }]);
      expect(await load(app, "ann.bob")).toEqual(before);
      expect(await everything(app, "ann.bob")).toHaveLength(2);
      expect(await world.store.events.findByClientMessageId(app, "ann", "other")).toBeNull();
    });

    it("answers stale for a conversation that does not exist, and does not make it", async () => {
      const app = world.fresh("app");

      const results = await world.store.events.commit([sampleRun(app, "ann.bob", { expectedHead: 4 })]);

      expect(results).toEqual([{ status: "stale", committed: 0 }]);
      expect(await load(app, "ann.bob")).toBeNull();
    });

    it("lets one of two runs for the same number win", async () => {
      const app = world.fresh("app");
      const rivals = ["one", "two", "three"].map((name) =>
        sampleRun(app, "ann.bob", { each: { messageId: name, clientMessageId: name } }),
      );

      const results = await Promise.all(rivals.map((run) => world.store.events.commit([run])));

      const statuses = results.flat().map(({ status }) => status);
      expect(statuses.toSorted()).toEqual(["committed", "stale", "stale"]);
      const winner = rivals[statuses.indexOf("committed")];
      expect(await everything(app, "ann.bob")).toEqual(winner?.events);
    });

    it("answers each run in order, and a refused one harms no neighbour", async () => {
      const app = world.fresh("app");
      await world.store.events.commit([sampleRun(app, "ann.bob", { each: { clientMessageId: "taken" } })]);

      const results = await world.store.events.commit([
        sampleRun(app, "ann.cid"),
        sampleRun(app, "ann.dan", { expectedHead: 7 }),
        sampleRun(app, "ann.eve", { events: [{}, { clientMessageId: "taken" }] }),
        sampleRun(app, "ann.fay", { count: 3 }),
      ]);

      expect(results.map(({ status, committed }) => [status, committed])).toEqual([
        ["committed", 1],
        ["stale", 0],
        ["repeat", 0],
        ["committed", 3],
      ]);
      const heads = await world.store.conversations.heads(app, "ann", 10);
      expect(heads.map(({ conversation, head }) => [conversation, head]).toSorted()).toEqual([
        ["ann.bob", 1],
        ["ann.cid", 1],
        ["ann.fay", 3],
      ]);
    });
  });

  describe("commit of a repeat", () => {
    it("names the first event whose key is taken and the event that took it, and stores nothing", async () => {
      const app = world.fresh("app");
      const first = sampleRun(app, "ann.bob", { count: 2 });
      await world.store.events.commit([first]);

      const events = [{}, { clientMessageId: "key-ann.bob-2" }, { clientMessageId: "key-ann.bob-1" }];
      const results = await world.store.events.commit([sampleRun(app, "ann.cid", { events })]);

      expect(results).toEqual([{ status: "repeat", committed: 0, index: 1, existing: first.events[1] }]);
      expect(await load(app, "ann.cid")).toBeNull();
    });

    it("is found before a stale head", async () => {
      const app = world.fresh("app");
      const first = sampleRun(app, "ann.bob");
      await world.store.events.commit([first]);

      const again = sampleRun(app, "ann.bob", { each: { messageId: "another" } });
      const results = await world.store.events.commit([again]);

      expect(results).toEqual([{ status: "repeat", committed: 0, index: 0, existing: first.events[0] }]);
    });

    it("is found inside the run", async () => {
      const app = world.fresh("app");
      const run = sampleRun(app, "ann.bob", { count: 3, each: { clientMessageId: "same" } });

      const results = await world.store.events.commit([run]);

      expect(results).toEqual([{ status: "repeat", committed: 0, index: 1, existing: run.events[0] }]);
      expect(await load(app, "ann.bob")).toBeNull();
    });

    it("is found in an earlier run of the same call", async () => {
      const app = world.fresh("app");
      const each = { clientMessageId: "same" };
      const [first, second] = [sampleRun(app, "ann.bob", { each }), sampleRun(app, "ann.cid", { each })];

      const results = await world.store.events.commit([first, second]);

      expect(results).toEqual([
        { status: "committed", committed: 1 },
        { status: "repeat", committed: 0, index: 0, existing: first.events[0] },
      ]);
    });

    it("is none for another sender, another app, or without a key", async () => {
      const [app, other] = [world.fresh("app"), world.fresh("app")];
      const each = { clientMessageId: "same" };

      const results = await world.store.events.commit([
        sampleRun(app, "ann.bob", { each }),
        sampleRun(app, "ann.cid", { each: { ...each, sender: "cid" } }),
        sampleRun(other, "ann.bob", { each }),
        sampleRun(other, "ann.cid", { count: 2, each: { clientMessageId: null } }),
      ]);

      expect(results.map(({ status }) => status)).toEqual(Array(4).fill("committed"));
    });
  });

  describe("commit of a run that is stored already", () => {
    it("answers committed again and changes nothing", async () => {
      const app = world.fresh("app");
      const run = sampleRun(app, "group-1", {
        count: 3,
        group: sampleGroup,
        members: sampleMembers(["ann"]),
      });
      const keyless = sampleRun(app, "group-2", { count: 2, each: { clientMessageId: null } });
      await world.store.events.commit([run, keyless]);
      const rename = {
        group: { ...sampleGroup, name: "Renamed" },
        members: sampleMembers(["ann"], [[1, 3]]),
      };
      await world.store.events.commit([sampleRun(app, "group-1", { expectedHead: 3, ...rename })]);
      const before = await load(app, "group-1");

      const results = await world.store.events.commit([run, keyless]);

      expect(results.map(({ status, committed }) => [status, committed])).toEqual([
        ["committed", 3],
        ["committed", 2],
      ]);
      expect(await load(app, "group-1")).toEqual(before);
      expect(await everything(app, "group-2")).toEqual(keyless.events);
    });

    it("answers stale when only a part of it is stored", async () => {
      const app = world.fresh("app");
      const each = { clientMessageId: null };
      await world.store.events.commit([sampleRun(app, "ann.bob", { count: 2, each })]);

      const results = await world.store.events.commit([sampleRun(app, "ann.bob", { count: 3, each })]);

      expect(results).toEqual([{ status: "stale", committed: 0 }]);
    });
  });
}
