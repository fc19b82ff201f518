import { describe, expect, it } from "vitest";
import { sampleMembers, sampleRun } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `EventLog.erase`. */
export function describeErasure(world: StoreWorld): void {
  const read = (app: string, conversation: string) =>
    world.store.events.read({ app, conversation, limit: 100, from: "oldest" });

  /** Two conversations; ann, bob and the system write in both. */
  async function twoConversations(): Promise<string> {
    const app = world.fresh("app");
    const events = [
      { sender: "ann" },
      { sender: "bob" },
      { sender: "system", type: "group_created", listed: false },
      { sender: "ann" },
    ] as const;
    const members = sampleMembers(["ann", "bob"]);
    await world.store.events.commit([
      sampleRun(app, "group-1", { events, members }),
      sampleRun(app, "group-2", { events, members }),
    ]);
    return app;
  }

  describe("erase", () => {
    it("empties the messages of a conversation, keeps their numbers, and nothing else is touched", async () => {
      const app = await twoConversations();
      const [before, other] = [await read(app, "group-1"), await read(app, "group-2")];

      const erased = await world.store.events.erase({ app, conversation: "group-1" });

      expect(erased).toBe(3);
      const gone = { type: "erased", body: "{}", tempUid: null, listed: false };
      expect(await read(app, "group-1")).toEqual(
        before.map((event) => (event.type === "message" ? { ...event, ...gone } : event)),
      );
      expect(await read(app, "group-2")).toEqual(other);
    });

    it("takes the conversation off lists, and leaves nothing unread", async () => {
      const app = await twoConversations();

      await world.store.events.erase({ app, conversation: "group-1" });

      const list = await world.store.conversations.list({ app, user: "bob", archived: null, limit: 9 });
      expect(list.map(({ record }) => record.conversation)).toEqual(["group-2"]);
      expect(await world.store.conversations.view(app, "group-1", "bob")).toMatchObject({
        last: null,
        unread: 0,
      });
    });

    it("shows what is written afterwards", async () => {
      const app = await twoConversations();
      await world.store.events.erase({ app, conversation: "group-1" });

      await world.store.events.commit([sampleRun(app, "group-1", { expectedHead: 4 })]);

      expect(await world.store.conversations.view(app, "group-1", "bob")).toMatchObject({
        last: { seq: 5 },
        unread: 1,
      });
    });

    it("erases what one user wrote, in one conversation or in all of the app", async () => {
      const app = await twoConversations();
      const { erase } = world.store.events;

      const inOne = await erase({ app, conversation: "group-1", sender: "ann" });
      const inAll = await erase({ app, sender: "ann" });

      expect([inOne, inAll]).toEqual([2, 2]);
      const types = (await read(app, "group-2")).map(({ type }) => type);
      expect(types).toEqual(["erased", "message", "group_created", "erased"]);
      expect(await world.store.conversations.view(app, "group-2", "ann")).toMatchObject({ last: { seq: 2 } });
    });

    it("frees names, and keeps idempotency keys: a repeat does not bring a message back", async () => {
      const app = await twoConversations();
      const { erase, find, findByClientMessageId, commit } = world.store.events;

      await erase({ app, conversation: "group-1" });

      expect(await find(app, "group-1", "temp-group-1-1")).toBeNull();
      expect(await find(app, "group-1", "id-group-1-1")).toMatchObject({ seq: 1, type: "erased" });
      const erased = { seq: 1, type: "erased", body: "{}" };
      expect(await findByClientMessageId(app, "ann", "key-group-1-1")).toMatchObject(erased);
      const again = sampleRun(app, "group-1", {
        expectedHead: 4,
        each: { clientMessageId: "key-group-1-1" },
      });
      expect(await commit([again])).toMatchObject([
        { status: "repeat", committed: 0, index: 0, existing: erased },
      ]);
    });

    it("answers 0 when there is nothing left, nobody of that name or no such conversation", async () => {
      const app = await twoConversations();
      const { erase } = world.store.events;
      await erase({ app, conversation: "group-1" });

      const counts = [
        await erase({ app, conversation: "group-1" }),
        await erase({ app, sender: "nobody" }),
        await erase({ app, conversation: "group-none" }),
        await erase({ app: world.fresh("app"), sender: "ann" }),
      ];

      expect(counts).toEqual([0, 0, 0, 0]);
    });

    it("refuses to erase a whole app", async () => {
      const app = await twoConversations();

      await expect(world.store.events.erase({ app })).rejects.toMatchObject({ code: "bad_request" });

      expect((await read(app, "group-1"))[0]?.type).toBe("message");
    });
  });
}
