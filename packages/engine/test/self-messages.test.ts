import { describe, expect, it } from "vitest";
import { allOf, as, World } from "./world.ts";

describe("A message to oneself", () => {
  it("comes twice to the same inbox, sent and then delivered, with the same id", async () => {
    const world = await World.start();
    const [me] = await world.people("me");

    await me.send("me", { text: "note" });

    expect(me.messages("me").map(({ status }) => status)).toEqual([100, 150]);
    expect(new Set(me.messages("me").map(({ message_id: id }) => id)).size).toBe(1);
  });

  it("is stored once, as delivered", async () => {
    const world = await World.start();

    await world.send("me", "me", { text: "note" });

    expect(await world.history("me", "me")).toMatchObject([
      { text: "note", status: 150, seq: 1, conversWith: "me" },
    ]);
    expect(world.log("me.me")).toHaveLength(1);
  });

  it("makes one conversation in the list, without anything unread", async () => {
    const world = await World.start();

    await world.send("me", "me", { text: "note" });

    expect(await world.list("me")).toMatchObject([
      { conversWith: "me", key: "me", last_message_text: "note" },
    ]);
    const [state] = await allOf(world.engine.conversations.states(as("me"), "me", null, {}));
    expect(JSON.parse(state ?? "")).toMatchObject({ conversWith: "me", unread: 0 });
    expect(JSON.parse(state ?? "")).not.toHaveProperty("counterpart");
  });

  it("can be marked as read, and tells only oneself", async () => {
    const world = await World.start();
    const [me] = await world.people("me");
    await me.send("me", { text: "note" });
    me.forget();

    await me.update("me", { is_new: false });

    expect(me.bodies("conversation-updated")).toEqual([
      { is_new: false, timelineOf: "me", conversWith: "me" },
    ]);
    expect(me.bodies("ephemeral")).toEqual([
      { type: "receipt", conversWith: "me", user: "me", delivered: 1, read: 1 },
    ]);
  });

  it("is one fact for backends: sent once, delivered once", async () => {
    const world = await World.start();

    await world.send("me", "me", { text: "note" });

    const [fact, ...more] = world.factsOf("message");
    expect(more).toEqual([]);
    expect(fact?.sent).toMatchObject({ user: "me", status: 100 });
    expect(fact?.delivered).toMatchObject([{ user: "me", status: 150 }]);
  });
});
