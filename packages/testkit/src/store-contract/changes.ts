import type { ChangeQuery, Changes } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { sampleErasures, sampleMembers, sampleRun } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `ConversationStore.changes`. */
export function describeChanges(world: StoreWorld): void {
  const changes = (app: string, user: string, query: Partial<ChangeQuery> = {}) =>
    world.store.conversations.changes({ app, user, limit: 100, eventsEach: 100, characters: 1e6, ...query });
  const names = ({ conversations }: Changes) => conversations.map(({ view }) => view.conversation);
  const seqs = ({ conversations }: Changes) =>
    conversations.map(({ events }) => events.map(({ seq }) => seq));

  /** Five events each: with bob, cid and dan, committed in this order; and ann's cursor behind them. */
  async function threeConversations(): Promise<{ app: string; cursor: string }> {
    const app = world.fresh("app");
    for (const name of ["bob", "cid", "dan"]) {
      await world.store.events.commit([sampleRun(app, `ann.${name}`, { count: 5 })]);
    }
    return { app, cursor: (await changes(app, "ann")).cursor };
  }

  const append = (app: string, conversation: string, expectedHead = 5, count = 1) =>
    world.store.events.commit([sampleRun(app, conversation, { expectedHead, count })]);

  describe("changes", () => {
    it("answers everything without a cursor, the conversation that changed last first, whole", async () => {
      const { app } = await threeConversations();
      await append(app, "ann.bob");

      const all = await changes(app, "ann");

      expect(all.more).toBe(false);
      expect(all.cursor).toMatch(/^[A-Za-z0-9._-]{1,200}$/);
      expect(names(all)).toEqual(["ann.bob", "ann.dan", "ann.cid"]);
      expect(all.conversations[0]).toEqual({
        view: await world.store.conversations.view(app, "ann.bob", "ann"),
        events: await world.store.events.read({ app, conversation: "ann.bob", limit: 9, from: "oldest" }),
        from: 1,
        behind: false,
      });
    });

    it("answers nothing, and a cursor that is good as well, when nothing has changed", async () => {
      const { app, cursor } = await threeConversations();
      await append(`${app}-other`, "ann.bob", 0);
      await append(app, "cid.dan", 0);

      const none = await changes(app, "ann", { cursor });
      await append(app, "ann.cid");
      const one = await changes(app, "ann", { cursor: none.cursor });

      expect([none.conversations, none.more]).toEqual([[], false]);
      expect([names(one), seqs(one)]).toEqual([["ann.cid"], [[6]]]);
    });

    it("answers nothing to somebody who is in no conversation, until there is one", async () => {
      const app = world.fresh("app");

      const none = await changes(app, "eve");
      await append(app, "ann.eve", 0);
      const one = await changes(app, "eve", { cursor: none.cursor });

      expect([none.conversations, none.more]).toEqual([[], false]);
      expect(names(one)).toEqual(["ann.eve"]);
    });

    it("answers the events since the cursor, and says from which number on none is left out", async () => {
      const { app, cursor } = await threeConversations();
      await append(app, "ann.bob", 5, 3);

      const [one] = (await changes(app, "ann", { cursor })).conversations;

      expect(one?.events.map(({ seq }) => seq)).toEqual([6, 7, 8]);
      expect([one?.from, one?.behind]).toEqual([6, false]);
    });

    it("leaves out what is hidden, and speaks of it all the same", async () => {
      const { app, cursor } = await threeConversations();
      const bobs = (await changes(app, "bob")).cursor;
      const events = [{ hiddenFor: "ann" }, {}, { hiddenFor: "ann" }];
      await world.store.events.commit([sampleRun(app, "ann.bob", { expectedHead: 5, events })]);

      const [one] = (await changes(app, "ann", { cursor })).conversations;
      const [other] = (await changes(app, "bob", { cursor: bobs })).conversations;

      expect(one?.events.map(({ seq }) => seq)).toEqual([7]);
      expect([one?.from, one?.behind, one?.view.head]).toEqual([6, false, 8]);
      expect(other?.events.map(({ seq }) => seq)).toEqual([6, 7, 8]);
    });

    it("answers the newest events where there are more than asked for, and says that it is behind", async () => {
      const { app, cursor } = await threeConversations();
      await append(app, "ann.bob", 5, 10);

      const two = (await changes(app, "ann", { cursor, eventsEach: 2 })).conversations[0];
      const ten = (await changes(app, "ann", { cursor, eventsEach: 10 })).conversations[0];
      const none = (await changes(app, "ann", { cursor, eventsEach: 0 })).conversations[0];

      expect([two?.events.map(({ seq }) => seq), two?.from, two?.behind]).toEqual([[14, 15], 14, true]);
      expect([ten?.events.length, ten?.from, ten?.behind]).toEqual([10, 6, false]);
      expect([none?.events, none?.from, none?.behind]).toEqual([[], 16, true]);
    });

    it("tells the two people of a direct conversation of each other's marks, in a group only the own user", async () => {
      const app = world.fresh("app");
      const members = sampleMembers(["ann", "bob"]);
      await world.store.events.commit([
        sampleRun(app, "ann.bob", { count: 3 }),
        sampleRun(app, "group-1", { count: 3, members }),
      ]);
      const cursors = await Promise.all(
        ["ann", "bob"].map(async (user) => (await changes(app, user)).cursor),
      );
      const patch = (conversation: string, fields: object) =>
        world.store.conversations.patch([{ app, conversation, user: "bob", ...fields }]);
      const both = () =>
        Promise.all(["ann", "bob"].map((user, at) => changes(app, user, { cursor: cursors[at] ?? "" })));

      await patch("group-1", { read: 2 });
      const ofGroup = await both();
      await patch("ann.bob", { delivered: 3, read: 2 });
      const ofBoth = await both();

      expect(ofGroup.map(names)).toEqual([[], ["group-1"]]);
      expect(ofBoth.map(names)).toEqual([["ann.bob"], ["ann.bob", "group-1"]]);
      expect(ofBoth[0]?.conversations[0]).toMatchObject({
        ...{ events: [], from: 4, behind: false },
        view: { state: { read: 0 }, counterpart: { delivered: 3, read: 2 } },
      });
      expect(ofBoth[1]?.conversations[0]?.view.state).toMatchObject({ delivered: 3, read: 2 });
    });

    it.each([
      ["read", { read: 2 }],
      ["archived", { archivedAt: 3 }],
      ["marked unread", { markedUnread: true }],
      ["cleared", { clearedAt: 3 }],
    ])("tells the user that a conversation was %s, also when that is taken back", async (_, fields) => {
      const { app, cursor } = await threeConversations();
      const patch = (more: object) =>
        world.store.conversations.patch([{ app, conversation: "ann.cid", user: "ann", ...more }]);

      await patch(fields);
      const changed = await changes(app, "ann", { cursor });
      await patch({ archivedAt: null, markedUnread: false, delivered: 5 });
      const again = await changes(app, "ann", { cursor: changed.cursor });

      expect(changed.conversations).toMatchObject([{ view: { state: fields }, events: [], from: 6 }]);
      expect(again.conversations).toMatchObject([
        { view: { state: { archivedAt: null, markedUnread: false } } },
      ]);
      expect((await changes(app, "ann", { cursor: again.cursor })).conversations).toEqual([]);
    });

    it("tells of erased messages by the event that erased them", async () => {
      const { app, cursor } = await threeConversations();
      const each = { type: "erased", sender: "system", listed: false };
      const amendments = sampleErasures(6, 4, 5);
      await world.store.events.commit([sampleRun(app, "ann.cid", { expectedHead: 5, each, amendments })]);

      const { conversations } = await changes(app, "ann", { cursor });

      expect(conversations).toMatchObject([
        { view: { last: { seq: 3 } }, events: [{ seq: 6, type: "erased" }] },
      ]);
      const all = await changes(app, "ann");
      expect(all.conversations[0]?.events.map(({ body }) => body === "{}")).toEqual([
        ...[false, false, false, true, true, false],
      ]);
    });

    it("brings what comes into sight with a new member, however old it is", async () => {
      const app = world.fresh("app");
      const commit = (expectedHead: number, count: number, from?: number) =>
        world.store.events.commit([
          sampleRun(app, "group-1", {
            ...{ expectedHead, count },
            members: sampleMembers(from === undefined ? ["ann"] : ["bob"], [[from ?? 1, null]]),
          }),
        ]);
      await commit(0, 6);
      await append(app, "bob.cid", 0);
      const { cursor } = await changes(app, "bob");
      await commit(6, 1, 4);

      const joined = await changes(app, "bob", { cursor });

      expect([names(joined), seqs(joined)]).toEqual([["group-1"], [[4, 5, 6, 7]]]);
      expect([joined.conversations[0]?.behind, (joined.conversations[0]?.from ?? 9) <= 4]).toEqual([
        false,
        true,
      ]);
    });

    it("tells a leaver of the last event, and of nothing that comes later", async () => {
      const app = world.fresh("app");
      const group = (expectedHead: number, members?: ReturnType<typeof sampleMembers>) =>
        world.store.events.commit([
          sampleRun(app, "group-1", { expectedHead, ...(members === undefined ? {} : { members }) }),
        ]);
      await group(0, sampleMembers(["ann", "bob"]));
      const { cursor } = await changes(app, "bob");
      const anns = (await changes(app, "ann")).cursor;

      await group(1, sampleMembers(["bob"], [[1, 2]]));
      await group(2);
      const leaving = await changes(app, "bob", { cursor });
      await group(3);
      const later = await changes(app, "bob", { cursor: leaving.cursor });

      expect(leaving.conversations).toMatchObject([
        { view: { head: 2, last: { seq: 2 } }, events: [{ seq: 2 }], from: 2, behind: false },
      ]);
      expect(later.conversations).toEqual([]);
      expect(seqs(await changes(app, "ann", { cursor: anns }))).toEqual([[2, 3, 4]]);
    });
  });

  describe("changes in pages", () => {
    it("go on with the cursor of the page before, the one that changed last first", async () => {
      const { app } = await threeConversations();
      await append(app, "ann.bob");

      const first = await changes(app, "ann", { limit: 1 });
      const second = await changes(app, "ann", { limit: 1, cursor: first.cursor });
      const third = await changes(app, "ann", { limit: 1, cursor: second.cursor });

      expect([first, second, third].map((page) => [names(page), page.more])).toEqual([
        [["ann.bob"], true],
        [["ann.dan"], true],
        [["ann.cid"], false],
      ]);
      expect((await changes(app, "ann", { cursor: third.cursor })).conversations).toEqual([]);
    });

    it("lose nothing of a conversation that changes before its page comes", async () => {
      const { app, cursor } = await threeConversations();
      await append(app, "ann.bob");
      await append(app, "ann.cid");
      const reached: Record<string, number[]> = {};

      let page = await changes(app, "ann", { cursor, limit: 1 });
      await append(app, "ann.bob", 6);
      for (let pages = 0; pages < 20; pages += 1) {
        for (const { view, events } of page.conversations) {
          reached[view.conversation] = [
            ...(reached[view.conversation] ?? []),
            ...events.map(({ seq }) => seq),
          ];
        }
        if (!page.more) break;
        page = await changes(app, "ann", { cursor: page.cursor, limit: 1 });
      }

      expect(page.more).toBe(false);
      expect(new Set(reached["ann.bob"])).toEqual(new Set([6, 7]));
      expect(reached["ann.cid"]).toContain(6);
    });

    it("hold no more characters than asked for, but one conversation with one event", async () => {
      const { app, cursor } = await threeConversations();
      const body = `{"text":"${"x".repeat(89)}"}`;
      const write = (conversation: string) =>
        world.store.events.commit([
          sampleRun(app, conversation, { expectedHead: 5, count: 4, each: { body } }),
        ]);
      await write("ann.bob");
      await write("ann.cid");
      const page = async (characters: number) => {
        const found = await changes(app, "ann", { cursor, characters });
        const [first] = found.conversations;
        return [
          names(found).length,
          first?.events.map(({ seq }) => seq),
          first?.from,
          first?.behind,
          found.more,
        ];
      };

      // A last message and four events of 100 characters each are 500.
      expect(body).toHaveLength(100);
      expect(await page(1_000)).toEqual([2, [6, 7, 8, 9], 6, false, false]);
      expect(await page(999)).toEqual([1, [6, 7, 8, 9], 6, false, true]);
      expect(await page(499)).toEqual([1, [7, 8, 9], 7, true, true]);
      expect(await page(1)).toEqual([1, [9], 9, true, true]);
      const overhead = { eventOverhead: 50, conversationOverhead: 200 };
      const found = await changes(app, "ann", { cursor, characters: 1_799, ...overhead });
      // Each of the two costs 200, its last message 100, and its events 150 each.
      expect(names(found)).toHaveLength(1);
      expect(names(await changes(app, "ann", { cursor, characters: 1_800, ...overhead }))).toHaveLength(2);
    });
  });

  describe("changes with a bad cursor", () => {
    it.each([
      "",
      "x",
      "-1",
      "1.",
      "999999999999",
      "99999999999999999999999999",
      "1e3",
      "0.0.0.999999999999",
      "5.9",
      "1.1.0.1",
      " 1",
      "1\n",
      "eyJ2IjoxfQ==",
      "../../etc/passwd",
      "9".repeat(10_000),
    ])("reject %j with invalid_cursor", async (cursor) => {
      const { app } = await threeConversations();

      await expect(changes(app, "ann", { cursor })).rejects.toMatchObject({ code: "invalid_cursor" });
      await expect(changes(app, "nobody", { cursor })).rejects.toMatchObject({ code: "invalid_cursor" });
    });
  });
}
