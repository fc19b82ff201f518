import { describe, expect, it } from "vitest";
import { allOf, as, type Json, type Person, World } from "./world.ts";

/** Ann has written three messages to bob. */
async function three(): Promise<readonly [World, Person, Person]> {
  const world = await World.start();
  for (const text of ["one", "two", "three"]) await world.send("ann", "bob", { text });
  const [ann, bob] = await world.people("ann", "bob");
  return [world, ann, bob];
}

async function stateOf(world: World, user: string): Promise<Json> {
  const [state = "{}"] = await allOf(world.engine.conversations.states(as(user), user, null, {}));
  return JSON.parse(state);
}

describe("Marking a conversation as read (P3)", () => {
  it("reads up to the end, and tells the user's devices", async () => {
    const [world, , bob] = await three();
    const second = await world.connect("bob", { clientId: "bob-2" });

    await bob.update("ann", { is_new: false });

    for (const device of [bob, second]) {
      expect(device.bodies("conversation-updated")).toEqual([
        { is_new: false, timelineOf: "bob", conversWith: "ann" },
      ]);
    }
    expect(await stateOf(world, "bob")).toMatchObject({ read: 3, delivered: 3, unread: 0 });
    expect(await world.list("bob")).toMatchObject([{ is_new: false }]);
  });

  it("tells the other side by watermark, and old clients message by message", async () => {
    const [, ann, bob] = await three();

    await bob.update("ann", { is_new: false });

    expect(ann.bodies("ephemeral")).toMatchObject([{ type: "receipt", user: "bob", delivered: 3, read: 3 }]);
    expect(ann.bodies("message-updated").map(({ status }) => status)).toEqual([250, 250, 250]);
    expect(ann.bodies("conversation-updated")).toEqual([]);
  });

  it("tells nobody of one's own messages", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    const { messageId } = await world.send("ann", "bob", { text: "question" });
    await world.send("bob", "ann", { text: "answer" });

    await world.engine.conversations.moveWatermarks(as("bob"), "bob", { conversWith: "ann", read: 2 });

    expect(ann.bodies("message-updated").map(({ message_id: id }) => id)).toEqual([messageId]);
  });

  it("leaves a flag alone that a late repeat of the mark did not see, and takes it away otherwise", async () => {
    const [world, , bob] = await three();
    const isNew = async () => (await world.list("bob"))[0]?.["is_new"];
    const mark = (changes: Json) =>
      bob.command({ type: "mark", marks: [{ conversWith: "ann", ...changes }] });
    await mark({ read: 3, markedUnread: false });
    await bob.update("ann", { is_new: true });
    bob.forget();

    await mark({ read: 3, markedUnread: false });
    expect(await isNew()).toBe(true);
    expect(bob.bodies("conversation-updated")).toEqual([]);
    await world.send("ann", "bob", { text: "four" });
    await mark({ read: 4, markedUnread: false });
    expect(await isNew()).toBe(false);

    await bob.update("ann", { is_new: true });
    await mark({ read: 4, markedUnread: true });
    expect(await isNew()).toBe(false);
    await bob.update("ann", { is_new: true });
    await mark({ read: 4 });
    expect(await isNew()).toBe(false);
  });

  it("tells old clients of every message once", async () => {
    const [world, ann, bob] = await three();
    await bob.update("ann", { is_new: false });
    await world.send("ann", "bob", { text: "four" });
    ann.forget();

    await bob.update("ann", { is_new: false });
    await bob.update("ann", { is_new: false });

    expect(ann.bodies("message-updated")).toHaveLength(1);
  });

  it("is undone by the next message", async () => {
    const [world, , bob] = await three();
    await bob.update("ann", { is_new: false });

    await world.send("ann", "bob", { text: "four" });

    expect(await world.list("bob")).toMatchObject([{ is_new: true }]);
    expect(await stateOf(world, "bob")).toMatchObject({ unread: 1 });
  });

  it("works in a group, where nobody else hears of it", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    await world.createGroup("group-1", "ann", "bob");
    await world.send("ann", "group-1", { text: "hi" });
    for (const person of [ann, bob]) person.forget();

    await bob.update("group-1", { is_new: false });

    expect(bob.kinds).toEqual(["conversation-updated", "ephemeral"]);
    expect(ann.frames).toEqual([]);
    expect(await stateOf(world, "bob")).toMatchObject({ unread: 0 });
  });

  it("ignores other keys of the patch", async () => {
    const [world, , bob] = await three();

    await bob.update("ann", { is_new: false, archived: true, last_message_text: "forged", timestamp: 1 });

    expect(bob.bodies("conversation-updated")).toEqual([
      { is_new: false, timelineOf: "bob", conversWith: "ann" },
    ]);
    expect(await world.list("bob")).toMatchObject([{ archived: false, last_message_text: "three" }]);
  });

  it.each([0, null, ""])("with %j reads as `false` does", async (value) => {
    const [world, , bob] = await three();

    await bob.update("ann", { is_new: value });

    expect(bob.answers).toEqual([]);
    expect(bob.bodies("conversation-updated")).toMatchObject([{ is_new: false }]);
    expect(await stateOf(world, "bob")).toMatchObject({ unread: 0 });
  });

  it.each(['"string"', "null", "{", {}, { is_now: false }])("as %j is refused", async (patch) => {
    const [world, ann, bob] = await three();

    await bob.update("ann", patch);

    expect(bob.answers).toMatchObject([{ code: "bad_request" }]);
    expect(ann.frames).toEqual([]);
    expect(await stateOf(world, "bob")).toMatchObject({ read: 0 });
  });

  it("is refused where one is not a member, and makes no conversation", async () => {
    const [world, , bob] = await three();

    await bob.update("nobody", { is_new: false });

    expect(bob.answers).toMatchObject([{ code: "not_member" }]);
    expect(world.disk.conversations.size).toBe(1);
  });
});

describe("Marking a conversation as unread (P3)", () => {
  it.each([1, "false", {}, []])("happens with %j as with `true`", async (value) => {
    const [, , bob] = await three();

    await bob.update("ann", { is_new: value });

    expect(bob.answers).toEqual([]);
    expect(bob.bodies("conversation-updated")).toMatchObject([{ is_new: true }]);
  });

  it("shows it as new again without moving a watermark", async () => {
    const [world, ann, bob] = await three();
    await bob.update("ann", { is_new: false });
    for (const person of [ann, bob]) person.forget();

    await bob.update("ann", { is_new: true });

    expect(bob.bodies("conversation-updated")).toEqual([
      { is_new: true, timelineOf: "bob", conversWith: "ann" },
    ]);
    expect(await world.list("bob")).toMatchObject([{ is_new: true }]);
    expect(await stateOf(world, "bob")).toMatchObject({ read: 3, unread: 0 });
    expect(ann.frames).toEqual([]);
  });

  it("ends with reading", async () => {
    const [world, , bob] = await three();
    await bob.update("ann", { is_new: true });

    await bob.update("ann", { is_new: false });

    expect(await world.list("bob")).toMatchObject([{ is_new: false }]);
  });
});

describe("The command `mark`", () => {
  it("moves watermarks to numbers, and is answered", async () => {
    const [world, ann, bob] = await three();

    await bob.command({ type: "mark", marks: [{ conversWith: "ann", delivered: 2, read: 1 }] });

    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 2, read: 1, unread: 2 });
    expect(bob.answers).toEqual([{ request_id: "r", code: "ok" }]);
    expect(ann.bodies("message-updated")).toHaveLength(2);
  });

  it("counts what was read as delivered", async () => {
    const [world, , bob] = await three();

    await bob.command({ type: "mark", marks: [{ conversWith: "ann", read: 2 }] });

    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 2, read: 2 });
  });

  it("never moves back and never past the end", async () => {
    const [world, , bob] = await three();

    await bob.command({ type: "mark", marks: [{ conversWith: "ann", delivered: Number.MAX_SAFE_INTEGER }] });
    await bob.command({ type: "mark", marks: [{ conversWith: "ann", delivered: 1, read: 0 }] });

    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 3, read: 0 });
    await world.send("ann", "bob", { text: "four" });
    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 3, unread: 4 });
  });

  it("may name many conversations at once", async () => {
    const [world, , bob] = await three();
    await world.send("cid", "bob", { text: "hey" });

    await bob.command({
      type: "mark",
      marks: [
        { conversWith: "ann", read: 3 },
        { conversWith: "cid", read: 1 },
      ],
    });

    expect((await world.list("bob")).map(({ is_new: isNew }) => isNew)).toEqual([false, false]);
  });

  it("is refused where one is not a member", async () => {
    const [, , bob] = await three();

    await bob.command({ type: "mark", marks: [{ conversWith: "group-1", read: 1 }] });

    expect(bob.answers).toMatchObject([{ request_id: "r", code: "not_member" }]);
  });

  it("answers the device that asked, not the others", async () => {
    const [world, , bob] = await three();
    const second = await world.connect("bob", { clientId: "bob-2" });

    await bob.command({ type: "mark", marks: [{ conversWith: "ann", read: 3 }] });

    const topicsOf = (person: Person) =>
      person.frames.filter(({ kind }) => kind === "answer").map(({ topic }) => topic);
    expect(topicsOf(bob)).toEqual(["apps/tilechat/users/bob/devices/bob-device/answer"]);
    expect(topicsOf(second)).toEqual(topicsOf(bob));
  });
});

describe("The operation `mark`", () => {
  it("answers with the resulting watermarks", async () => {
    const [world] = await three();
    const { conversations } = world.engine;

    expect(await conversations.moveWatermarks(as("bob"), "bob", { conversWith: "ann", read: 99 })).toEqual({
      delivered: 3,
      read: 3,
    });
    expect(
      await conversations.moveWatermarks(as("bob"), "bob", { conversWith: "ann", delivered: 1 }),
    ).toEqual({
      delivered: 3,
      read: 3,
    });
  });

  it("is for oneself and for admins", async () => {
    const [world] = await three();
    const { conversations } = world.engine;
    const mark = { conversWith: "ann", read: 1 };

    await expect(conversations.moveWatermarks(as("eve"), "bob", mark)).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(conversations.moveWatermarks(as("eve"), "eve", mark)).rejects.toMatchObject({
      code: "not_member",
    });
    await expect(
      conversations.moveWatermarks(as("bob"), "bob", { conversWith: "a.b" }),
    ).rejects.toMatchObject({
      code: "invalid_id",
    });
  });

  it("tells old clients of the newest 100 messages at most", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    await Promise.all(Array.from({ length: 150 }, (_, n) => world.send("ann", "bob", { text: `m${n}` })));
    const ids = ann.messages().map(({ message_id: id }) => id);
    ann.forget();

    await world.engine.conversations.moveWatermarks(as("bob"), "bob", { conversWith: "ann", read: 150 });

    expect(ann.bodies("message-updated").map(({ message_id: id }) => id)).toEqual(ids.slice(50));
  });
});

describe("Typing", () => {
  it("is told to the others of the conversation, and to nobody else", async () => {
    const [world, ann, bob] = await three();
    const [eve] = await world.people("eve");

    await bob.command({ type: "typing", conversWith: "ann", typing: true });

    expect(ann.bodies("ephemeral")).toEqual([
      { type: "typing", conversWith: "bob", user: "bob", typing: true },
    ]);
    expect(ann.frames[0]?.qos).toBe(0);
    expect(bob.kinds).toEqual(["answer"]);
    expect(bob.answers).toEqual([{ request_id: "r", code: "ok" }]);
    expect(eve.frames).toEqual([]);
  });

  it("in a group names the group", async () => {
    const world = await World.start();
    const [ann, bob, cid] = await world.people("ann", "bob", "cid");
    await world.createGroup("group-1", "ann", "bob", "cid");
    for (const person of [ann, bob, cid]) person.forget();

    await bob.command({ type: "typing", conversWith: "group-1", typing: false });

    for (const person of [ann, cid]) {
      expect(person.bodies("ephemeral")).toEqual([
        { type: "typing", conversWith: "group-1", user: "bob", typing: false },
      ]);
    }
  });

  it("is never stored", async () => {
    const [world, , bob] = await three();

    await bob.command({ type: "typing", conversWith: "ann", typing: true });

    expect(world.log("ann.bob")).toHaveLength(3);
    expect(world.facts.every(({ kind }) => kind === "message")).toBe(true);
  });

  it.each(["eve", "group-1", "nobody"])(
    "to %s, with whom one shares nothing, is refused",
    async (conversWith) => {
      const [world, , bob] = await three();
      await world.createGroup("group-1", "ann");

      await bob.command({ type: "typing", conversWith, typing: true });

      expect(bob.answers).toMatchObject([{ request_id: "r", code: "not_member" }]);
    },
  );

  it("for oneself reaches nobody", async () => {
    const world = await World.start();
    const [me] = await world.people("me");
    await me.send("me", { text: "note" });
    me.forget();

    await me.command({ type: "typing", conversWith: "me", typing: true });

    expect(me.kinds).toEqual(["answer"]);
  });
});
