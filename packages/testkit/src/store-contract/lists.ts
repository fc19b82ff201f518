import type { ConversationQuery } from "@chat21/engine";
import { limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { sampleMembers, sampleRun, sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `ConversationStore.list`. */
export function describeLists(world: StoreWorld): void {
  const at = (timestamp: number) => ({ timestamp: sampleTime + timestamp });

  const list = async (app: string, query: Partial<ConversationQuery> = {}) => {
    const views = await world.store.conversations.list({
      app,
      user: "ann",
      archived: null,
      limit: 10,
      ...query,
    });
    return views.map(({ conversation }) => conversation);
  };

  /** Last messages at 10 (bob), 20 (cid), 30 (dan), 40 (eve). */
  async function fourConversations(): Promise<string> {
    const app = world.fresh("app");
    await world.store.events.commit(
      ["bob", "cid", "dan", "eve"].map((name, index) =>
        sampleRun(app, `ann.${name}`, { each: at(10 * (index + 1)) }),
      ),
    );
    return app;
  }

  describe("list", () => {
    it("answers views, the one with the newest last message first", async () => {
      const app = await fourConversations();
      await world.store.events.commit([sampleRun(app, "ann.bob", { expectedHead: 1, each: at(50) })]);

      const views = await world.store.conversations.list({ app, user: "ann", archived: null, limit: 2 });

      expect(views).toEqual([
        await world.store.conversations.view(app, "ann.bob", "ann"),
        await world.store.conversations.view(app, "ann.eve", "ann"),
      ]);
      expect(await list(app)).toEqual(["ann.bob", "ann.eve", "ann.dan", "ann.cid"]);
    });

    it.each([
      ["letters", "a".repeat(60_000)],
      ["characters of several units", 'é😀\n"\\'.repeat(9_000)],
      ["escapes", "\u0000\ud800".repeat(9_000)],
    ])(
      "answers at least the beginning of a long text of %s, and all the rest of the message",
      async (_, text) => {
        const app = world.fresh("app");
        const message = { metadata: { width: 1.5, text: "é" }, text, type: "text" };
        await world.store.events.commit([
          sampleRun(app, "ann.bob", { each: { body: JSON.stringify(message) } }),
        ]);

        const [view] = await world.store.conversations.list({ app, user: "ann", archived: null, limit: 1 });

        const { text: shown, ...rest } = JSON.parse(view?.last?.body ?? "{}") as typeof message;
        expect(text.startsWith(shown)).toBe(true);
        expect(shown.length).toBeGreaterThanOrEqual(limits.listTextCharacters);
        expect({ ...rest, text }).toEqual(message);
      },
    );

    it("goes by the last message that the user may see, not by the conversation's last event", async () => {
      const app = await fourConversations();
      await world.store.events.commit([
        sampleRun(app, "ann.bob", { expectedHead: 1, each: { ...at(60), listed: false } }),
        sampleRun(app, "ann.cid", { expectedHead: 1, each: { ...at(70), hiddenFor: "ann" } }),
        sampleRun(app, "ann.dan", {
          expectedHead: 1,
          each: { ...at(80), type: "group_updated", listed: false },
        }),
      ]);

      expect(await list(app)).toEqual(["ann.eve", "ann.dan", "ann.cid", "ann.bob"]);
      expect(await list(app, { limit: 1 })).toEqual(["ann.eve"]);
    });

    it("leaves out conversations of others and those where nothing is visible", async () => {
      const app = world.fresh("app");
      await world.store.events.commit([
        sampleRun(app, "bob.cid"),
        sampleRun(app, "ann.bob", { each: { listed: false } }),
        sampleRun(app, "ann.cid", { each: { hiddenFor: "ann" } }),
        sampleRun(app, "group-1", { members: sampleMembers(["ann"], [[2, null]]) }),
        sampleRun(app, "group-2", { members: sampleMembers(["ann"], [[1, 1]]) }),
      ]);

      expect(await list(app)).toEqual(["group-2"]);
      expect(await list(app, { user: "nobody" })).toEqual([]);
      expect(await list(`${app}-other`)).toEqual([]);
    });

    it("tells archived from active by the last visible message", async () => {
      const app = await fourConversations();
      const archive = (name: string) => ({ app, conversation: `ann.${name}`, user: "ann", archivedAt: 1 });
      await world.store.conversations.patch([archive("bob"), archive("cid"), archive("dan")]);
      await world.store.events.commit([
        sampleRun(app, "ann.bob", { expectedHead: 1, each: at(60) }),
        sampleRun(app, "ann.cid", { expectedHead: 1, each: { ...at(70), listed: false } }),
      ]);

      expect(await list(app, { archived: false })).toEqual(["ann.bob", "ann.eve"]);
      expect(await list(app, { archived: true })).toEqual(["ann.dan", "ann.cid"]);
      expect(await list(app, { archived: null })).toEqual(["ann.bob", "ann.eve", "ann.dan", "ann.cid"]);
      expect(await list(app, { user: "dan", archived: false })).toEqual(["ann.dan"]);
    });

    it("hides what was cleared until a listed message beyond it", async () => {
      const app = await fourConversations();
      const clear = (name: string) => ({ app, conversation: `ann.${name}`, user: "ann", clearedAt: 1 });
      await world.store.conversations.patch([clear("bob"), clear("cid")]);

      const cleared = await list(app);
      await world.store.events.commit([
        sampleRun(app, "ann.bob", { expectedHead: 1, each: { ...at(60), listed: false } }),
        sampleRun(app, "ann.cid", { expectedHead: 1, each: at(70) }),
      ]);

      expect(cleared).toEqual(["ann.eve", "ann.dan"]);
      expect(await list(app)).toEqual(["ann.cid", "ann.eve", "ann.dan"]);
    });

    it.each<[string, Partial<ConversationQuery>, string[]]>([
      ["those older than a time, exclusively", { before: at(30) }, ["ann.cid", "ann.bob"]],
      ["those newer than a time, exclusively", { after: at(20) }, ["ann.eve", "ann.dan"]],
      ["those between two times", { after: at(10), before: at(40) }, ["ann.dan", "ann.cid"]],
      ["the newest of those that are newer", { after: at(10), limit: 1 }, ["ann.eve"]],
      ["the oldest of all", { limit: 2, from: "oldest" }, ["ann.cid", "ann.bob"]],
      [
        "the oldest of those that are newer",
        { after: at(10), limit: 2, from: "oldest" },
        ["ann.dan", "ann.cid"],
      ],
      [
        "the oldest between two times",
        { after: at(10), before: at(40), limit: 1, from: "oldest" },
        ["ann.cid"],
      ],
      ["a page of older ones", { before: at(40), limit: 1 }, ["ann.dan"]],
    ])("answers %s", async (_, query, expected) => {
      const app = await fourConversations();

      expect(await list(app, query)).toEqual(expected);
    });

    it("parts conversations of one time by their names, in both directions", async () => {
      const app = world.fresh("app");
      const names = Array.from({ length: 10 }, (_, index) => `ann.n-${index}`);
      await world.store.events.commit(
        names.toReversed().map((name) => sampleRun(app, name, { each: at(5) })),
      );
      const place = (index: number) => ({ ...at(5), conversation: `ann.n-${index}` });

      const before: string[] = [];
      for (let page = await list(app, { limit: 3 }); page.length > 0; ) {
        before.push(...page);
        page = await list(app, { limit: 3, before: { ...at(5), conversation: page.at(-1) ?? "" } });
      }
      const after: string[] = [];
      for (let page = await list(app, { limit: 4, from: "oldest" }); page.length > 0; ) {
        after.unshift(...page);
        page = await list(app, {
          limit: 4,
          from: "oldest",
          after: { ...at(5), conversation: page[0] ?? "" },
        });
      }

      expect(before).toEqual(names);
      expect(after).toEqual(names);
      expect(await list(app, { after: place(2) })).toEqual(names.slice(0, 2));
      expect(await list(app, { before: place(6) })).toEqual(names.slice(7));
      expect(await list(app, { before: place(8), after: place(9) })).toEqual([]);
      expect(await list(app, { before: place(5), after: place(8) })).toEqual(names.slice(6, 8));
      // A name that no conversation has is still a place.
      expect(await list(app, { before: { ...at(5), conversation: "ann.n-55" } })).toEqual(names.slice(6));
      expect([await list(app, { before: at(5) }), await list(app, { after: at(5) })]).toEqual([[], []]);
      expect([await list(app, { before: at(6) }), await list(app, { after: at(4) })]).toEqual([names, names]);
    });
  });
}
