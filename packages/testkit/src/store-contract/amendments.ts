import { describe, expect, it } from "vitest";
import { sampleErasures, sampleMembers, sampleRun } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** Amendments in `EventLog.commit`, and reads of amended messages. */
export function describeAmendments(world: StoreWorld): void {
  const read = (app: string, conversation: string, options: { readonly withoutErased?: boolean } = {}) =>
    world.store.events.read({ app, conversation, limit: 100, from: "oldest", ...options });
  const overlays = async (app: string, conversation: string) =>
    (await read(app, conversation)).map(({ overlay }) => overlay);
  const overlay = (version: number) => `{"version":${version},"edited":"\u2028 😀"}`;
  const amendmentOf = (seq: number, version: number) => ({ seq, overlay: overlay(version), erases: false });

  /** Two conversations; ann, bob and the system write in both. */
  async function twoConversations(): Promise<string> {
    const app = world.fresh("app");
    const events = [
      { sender: "ann" },
      { sender: "bob" },
      { sender: "system", type: "group_created", listed: false },
      { sender: "ann" },
    ];
    const members = sampleMembers(["ann", "bob"]);
    await world.store.events.commit([
      sampleRun(app, "group-1", { events, members }),
      sampleRun(app, "group-2", { events, members }),
    ]);
    return app;
  }

  /** Erases by an event behind the four of {@link twoConversations}. */
  const erase = (app: string, ...seqs: readonly number[]) => {
    const each = { type: "erased", sender: "system", listed: false };
    const amendments = sampleErasures(5, ...seqs);
    return world.store.events.commit([sampleRun(app, "group-1", { expectedHead: 4, each, amendments })]);
  };

  describe("commit of amendments", () => {
    it("gives earlier messages, and messages of the run itself, their overlays, and replaces them later", async () => {
      const app = await twoConversations();
      const { commit } = world.store.events;

      await commit([
        sampleRun(app, "group-1", {
          expectedHead: 4,
          count: 2,
          amendments: [amendmentOf(6, 6), amendmentOf(1, 6), amendmentOf(4, 5)],
        }),
      ]);
      const first = await overlays(app, "group-1");
      await commit([sampleRun(app, "group-1", { expectedHead: 6, amendments: [amendmentOf(1, 7)] })]);

      expect(first).toEqual([overlay(6), null, null, overlay(5), null, overlay(6)]);
      expect(await overlays(app, "group-1")).toEqual([overlay(7), ...first.slice(1), null]);
      expect(await overlays(app, "group-2")).toEqual([null, null, null, null]);
    });

    it("leaves everything else of a message as it was", async () => {
      const app = await twoConversations();
      const before = await read(app, "group-1");

      await world.store.events.commit([
        sampleRun(app, "group-1", { expectedHead: 4, amendments: [amendmentOf(2, 5)] }),
      ]);

      const after = await read(app, "group-1");
      expect(after[1]).toEqual({ ...before[1], overlay: overlay(5) });
      expect(after.slice(2, 4)).toEqual(before.slice(2, 4));
    });

    it("shows the overlay wherever the event is read", async () => {
      const app = await twoConversations();
      const { commit, find, findByClientMessageId } = world.store.events;
      await commit([sampleRun(app, "group-1", { expectedHead: 4, amendments: [amendmentOf(4, 5)] })]);
      await commit([
        sampleRun(app, "group-1", {
          expectedHead: 5,
          each: { listed: false },
          amendments: [amendmentOf(5, 6)],
        }),
      ]);

      const { last } = (await world.store.conversations.view(app, "group-1", "ann")) ?? {};
      const [listed] = await world.store.conversations.list({ app, user: "ann", archived: null, limit: 1 });
      const { conversations } = await world.store.conversations.changes({
        ...{ app, user: "ann", limit: 1, eventsEach: 9, characters: 9_999 },
      });
      const undispatched = await world.store.events.undispatched(9, Number.MAX_SAFE_INTEGER, {
        ...{ app, conversation: "group-1" },
      });
      const each = { messageId: "another", clientMessageId: "key-group-1-4" };
      const [repeat] = await commit([sampleRun(app, "group-1", { expectedHead: 6, each })]);

      expect([last?.overlay, listed?.last?.overlay]).toEqual([overlay(6), overlay(6)]);
      expect((await find(app, "group-1", "id-group-1-4"))?.overlay).toBe(overlay(5));
      expect((await find(app, "group-1", "temp-group-1-4"))?.overlay).toBe(overlay(5));
      expect((await findByClientMessageId(app, "ann", "key-group-1-4"))?.overlay).toBe(overlay(5));
      expect(repeat).toMatchObject({ status: "repeat", existing: { seq: 4, overlay: overlay(5) } });
      const shown = [null, null, null, overlay(5), overlay(6), null];
      expect(conversations[0]?.events.map((event) => event.overlay)).toEqual(shown);
      expect(undispatched.map((event) => event.overlay)).toEqual(shown);
    });

    it("rewrites bodies in place wherever they are read, of any type, and none that is erased", async () => {
      const app = await twoConversations();
      const { commit, read, rewrite } = world.store.events;
      const each = { type: "member_added", listed: false };
      await commit([sampleRun(app, "group-1", { expectedHead: 4, each, amendments: sampleErasures(5, 2) })]);
      const bodies = [1, 2, 4, 5, 99].map((seq) => ({ seq, body: `{"new":${seq}}` }));
      const all = () => read({ app, conversation: "group-1", limit: 9, from: "oldest" });
      const before = await all();
      await world.store.conversations.list({ app, user: "ann", archived: null, limit: 9 });

      const replaced = [
        await rewrite(app, "group-1", bodies),
        await rewrite(app, "group-1", bodies),
        await rewrite(app, "group-unknown", bodies),
      ];

      expect(replaced).toEqual([3, 3, 0]);
      const after = before.map((event) =>
        event.seq === 3 || event.seq === 2 ? event : { ...event, body: `{"new":${event.seq}}` },
      );
      expect(await all()).toEqual(after);
      const listed = await world.store.conversations.list({ app, user: "ann", archived: null, limit: 9 });
      expect(listed.find(({ conversation }) => conversation === "group-1")?.last?.body).toBe('{"new":4}');
    });

    it("changes nothing when the run is stale, a repeat, or stored already", async () => {
      const app = await twoConversations();
      const amended = sampleRun(app, "group-1", { expectedHead: 4, amendments: [amendmentOf(1, 5)] });
      await world.store.events.commit([amended]);
      await world.store.events.commit([
        sampleRun(app, "group-1", { expectedHead: 5, amendments: [amendmentOf(1, 6)] }),
      ]);
      const before = await read(app, "group-1");
      const amendments = [amendmentOf(2, 9), ...sampleErasures(9, 1, 4)];
      const other = { messageId: "another", clientMessageId: "another" };

      const results = await Promise.all(
        [
          amended,
          sampleRun(app, "group-1", { expectedHead: 5, each: other, amendments }),
          sampleRun(app, "group-1", { expectedHead: 9, each: other, amendments }),
          sampleRun(app, "group-1", {
            expectedHead: 6,
            each: { ...other, clientMessageId: "key-group-1-2", sender: "bob" },
            amendments,
          }),
        ].map((run) => world.store.events.commit([run])),
      );

      expect(results.flat().map(({ status }) => status)).toEqual(["committed", "stale", "stale", "repeat"]);
      expect(await read(app, "group-1")).toEqual(before);
    });

    it.each([
      ["an event that is no message", 3],
      ["a number beyond the run", 6],
      ["an event of the run that is no message", 5],
      ["number 0", 0],
    ])("rejects %s as a target, stores nothing of the run, and harms no other call", async (_, seq) => {
      const app = await twoConversations();
      const before = await read(app, "group-1");
      const each = { type: "group_updated", listed: false };
      const amendments = [...sampleErasures(5, 1), ...sampleErasures(5, seq)];
      const { commit } = world.store.events;

      const results = await Promise.allSettled([
        commit([sampleRun(app, "ann.bob")]),
        commit([sampleRun(app, "group-1", { expectedHead: 4, each, amendments })]),
        commit([sampleRun(app, "group-2", { expectedHead: 4, amendments: [amendmentOf(1, 5)] })]),
        commit([sampleRun(app, "group-3", { amendments: sampleErasures(1, 2) })]),
      ]);

      expect(results).toMatchObject([
        { status: "fulfilled", value: [{ status: "committed" }] },
        { status: "rejected", reason: { code: "internal" } },
        { status: "fulfilled", value: [{ status: "committed" }] },
        { status: "rejected", reason: { code: "internal" } },
      ]);
      expect(await read(app, "group-1")).toEqual(before);
      expect((await overlays(app, "group-2"))[0]).toBe(overlay(5));
      expect(await world.store.conversations.load([{ app, conversation: "group-3" }])).toEqual([null]);
    });

    it("stores each neighbour of a rejected run as a whole or not at all, and takes it again", async () => {
      const app = world.fresh("app");
      const neighbours = [sampleRun(app, "ann.bob", { count: 3 }), sampleRun(app, "ann.cid", { count: 2 })];
      const [first, second] = neighbours as [(typeof neighbours)[0], (typeof neighbours)[0]];
      const bad = sampleRun(app, "ann.dan", { amendments: sampleErasures(1, 9) });

      await expect(world.store.events.commit([first, bad, second])).rejects.toMatchObject({
        code: "internal",
      });
      const lengths = await Promise.all(
        ["ann.bob", "ann.cid"].map(async (name) => (await read(app, name)).length),
      );
      const again = await world.store.events.commit(neighbours);

      expect([0, 3]).toContain(lengths[0]);
      expect([0, 2]).toContain(lengths[1]);
      expect(again.map(({ status }) => status)).toEqual(["committed", "committed"]);
      expect(await read(app, "ann.bob")).toEqual(first.events);
    });
  });

  describe("an erasing amendment", () => {
    it("empties messages, keeps their numbers, and nothing else is touched", async () => {
      const app = await twoConversations();
      const [before, other] = [await read(app, "group-1"), await read(app, "group-2")];

      await erase(app, 1, 4);

      const gone = { body: "{}", tempUid: null, listed: false, overlay: sampleErasures(5, 1)[0]?.overlay };
      const after = await read(app, "group-1");
      expect(after.slice(0, 4)).toEqual(
        before.map((event) => ([1, 4].includes(event.seq) ? { ...event, ...gone } : event)),
      );
      expect(after[4]).toMatchObject({ seq: 5, type: "erased", overlay: null });
      expect(await read(app, "group-2")).toEqual(other);
      const left = await read(app, "group-1", { withoutErased: true });
      expect(left.map(({ seq }) => seq)).toEqual([2, 3, 5]);
    });

    it("stays when the message is amended again", async () => {
      const app = await twoConversations();
      await erase(app, 1);

      await world.store.events.commit([
        sampleRun(app, "group-1", { expectedHead: 5, amendments: [amendmentOf(1, 6)] }),
      ]);

      expect((await read(app, "group-1"))[0]).toMatchObject({
        body: "{}",
        listed: false,
        overlay: overlay(6),
      });
      const left = await read(app, "group-1", { withoutErased: true });
      expect(left.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6]);
    });

    it("takes the conversation off lists, and leaves nothing unread, until somebody writes", async () => {
      const app = await twoConversations();
      const { list, view } = world.store.conversations;
      const lists = async () =>
        (await list({ app, user: "bob", archived: null, limit: 9 })).map(({ conversation }) => conversation);

      await erase(app, 1, 2, 4);
      const [erasedList, erasedView] = [await lists(), await view(app, "group-1", "bob")];
      await world.store.events.commit([sampleRun(app, "group-1", { expectedHead: 5 })]);

      expect(erasedList).toEqual(["group-2"]);
      expect(erasedView).toMatchObject({ last: null, unread: 0, head: 5 });
      expect(await lists()).toEqual(["group-1", "group-2"]);
      expect(await view(app, "group-1", "bob")).toMatchObject({ last: { seq: 6 }, unread: 1 });
    });

    it("lets lists show the newest message that is left", async () => {
      const app = await twoConversations();

      await erase(app, 4);

      expect(await world.store.conversations.view(app, "group-1", "bob")).toMatchObject({
        last: { seq: 2 },
        unread: 1,
      });
      const lists = await world.store.conversations.list({ app, user: "bob", archived: null, limit: 9 });
      expect(lists.map(({ conversation, last }) => [conversation, last?.seq])).toEqual([
        ["group-2", 4],
        ["group-1", 2],
      ]);
    });

    it("frees names, and keeps idempotency keys: a repeat does not bring a message back", async () => {
      const app = await twoConversations();
      const { commit, find, findByClientMessageId } = world.store.events;

      await erase(app, 1);

      expect(await find(app, "group-1", "temp-group-1-1")).toBeNull();
      expect(await find(app, "group-1", "id-group-1-1")).toMatchObject({ seq: 1, body: "{}" });
      const erased = { seq: 1, type: "message", body: "{}" };
      expect(await findByClientMessageId(app, "ann", "key-group-1-1")).toMatchObject(erased);
      const each = { messageId: "another", clientMessageId: "key-group-1-1" };
      expect(await commit([sampleRun(app, "group-1", { expectedHead: 5, each })])).toMatchObject([
        { status: "repeat", committed: 0, index: 0, existing: erased },
      ]);
    });

    it("is overwritten on the disk as far as the store can say", async () => {
      const app = await twoConversations();
      await erase(app, 1);

      await expect(world.store.events.scrub()).resolves.toBeUndefined();
    });
  });
}
