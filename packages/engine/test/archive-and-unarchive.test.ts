import { describe, expect, it } from "vitest";
import { admin, as, World } from "./world.ts";

/** Bob has archived what ann wrote. */
async function archived(): Promise<World> {
  const world = await World.start();
  await world.send("ann", "bob", { text: "one", recipient_fullname: "Bob" });
  await world.engine.conversations.archive(as("bob"), "bob", "ann");
  return world;
}

describe("Archiving a conversation", () => {
  it("tells the user's devices: it left the list, then it is in the archive, with the same document", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "one", sender_fullname: "Ann" });
    const [ann, bob] = await world.people("ann", "bob");
    const second = await world.connect("bob", { clientId: "bob-2" });

    await bob.archive("ann");

    for (const device of [bob, second]) {
      expect(device.kinds).toEqual(["conversation-deleted", "archived-conversation-added"]);
      expect(device.frames[1]?.text).toBe(device.frames[0]?.text);
      expect(device.frames[0]).toMatchObject({
        conversWith: "ann",
        body: {
          timelineOf: "bob",
          conversWith: "ann",
          key: "ann",
          archived: true,
          is_new: true,
          last_message_text: "one",
          text: "one",
          sender: "ann",
          sender_fullname: "Ann",
          status: 150,
          _id: expect.stringMatching(/^[0-9a-f]{24}$/),
        },
      });
    }
    expect(ann.frames).toEqual([]);
  });

  it("moves it from one list to the other, for that user alone", async () => {
    const world = await archived();

    expect(await world.list("bob")).toEqual([]);
    expect(await world.list("bob", true)).toMatchObject([{ conversWith: "ann", archived: true }]);
    expect(await world.list("ann")).toMatchObject([{ conversWith: "bob", archived: false }]);
    const { conversations } = world.engine;
    expect(await conversations.get(as("bob"), "bob", "ann", false)).toBeNull();
    expect(JSON.parse((await conversations.get(as("bob"), "bob", "ann", true)) ?? "")).toMatchObject({
      key: "ann",
    });
  });

  it("is a fact for backends, with the document", async () => {
    const world = await archived();

    expect(world.factsOf("archived")).toMatchObject([
      { user: "bob", conversWith: "ann", conversation: "ann.bob" },
    ]);
    expect(JSON.parse(world.factsOf("archived")[0]?.document ?? "")).toMatchObject({
      archived: true,
      text: "one",
    });
  });

  it("twice stays archived", async () => {
    const world = await archived();

    await world.engine.conversations.archive(as("bob"), "bob", "ann");

    expect(await world.list("bob", true)).toHaveLength(1);
  });

  it("works for a group, and for an admin on somebody's behalf", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "system");

    await world.engine.conversations.archive(admin, "system", "group-1");

    expect(world.factsOf("archived")).toMatchObject([{ user: "system", conversWith: "group-1" }]);
    expect(await world.list("system", true)).toHaveLength(1);
    expect(await world.list("ann")).toHaveLength(1);
    await expect(world.engine.conversations.archive(as("eve"), "ann", "group-1")).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it.each([
    ["that does not exist", "nobody"],
    ["of a group one is not in", "group-1"],
    ["of others", "ann"],
  ])("%s has no effect and no event", async (_what, conversWith) => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    await world.send("ann", "cid", { text: "x" });
    const [bob] = await world.people("bob");

    await bob.archive(conversWith);

    expect(bob.frames).toEqual([]);
    expect(world.factsOf("archived")).toEqual([]);
    expect(await world.list("bob", true)).toEqual([]);
  });

  it("ignores what the payload says", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "one" });
    const [bob] = await world.people("bob");

    await bob.archive("ann", '"anything"');

    expect(bob.kinds).toEqual(["conversation-deleted", "archived-conversation-added"]);
  });
});

describe("Taking a conversation out of the archive", () => {
  it("puts it back on the list with what it held, tells the user's devices, and is a fact for backends", async () => {
    const world = await archived();
    const [bob] = await world.people("bob");

    await world.engine.conversations.unarchive(as("bob"), "bob", "ann");

    expect(bob.kinds).toEqual(["archived-conversation-deleted"]);
    expect(await world.list("bob")).toMatchObject([{ archived: false, last_message_text: "one" }]);
    expect(await world.list("bob", true)).toEqual([]);
    expect(world.factsOf("unarchived")).toMatchObject([{ user: "bob", conversWith: "ann" }]);
  });

  it("is forgotten by the next message: it leaves the archive once", async () => {
    const world = await archived();
    await world.engine.conversations.unarchive(as("bob"), "bob", "ann");

    await world.send("ann", "bob", { text: "two" });

    expect(world.factsOf("unarchived")).toHaveLength(1);
  });

  it("has no effect on one that is not there, and may not be done for somebody else", async () => {
    const world = await archived();
    const { conversations } = world.engine;

    await conversations.unarchive(as("ann"), "ann", "bob");
    await conversations.unarchive(as("bob"), "bob", "nobody");

    expect(world.factsOf("unarchived")).toEqual([]);
    await expect(conversations.unarchive(as("ann"), "bob", "ann")).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(await world.list("bob", true)).toHaveLength(1);
  });
});

describe("A message to an archived conversation", () => {
  it("takes it out of the archive, tells the user's devices, and is a fact for backends", async () => {
    const world = await archived();
    const [bob] = await world.people("bob");

    await world.send("ann", "bob", { text: "two" });

    expect(bob.kinds).toEqual(["message-added", "archived-conversation-deleted"]);
    expect(bob.frames[1]).toMatchObject({
      conversWith: "ann",
      body: { timelineOf: "bob", conversWith: "ann" },
    });
    expect(await world.list("bob")).toMatchObject([{ archived: false, last_message_text: "two" }]);
    expect(await world.list("bob", true)).toEqual([]);
    expect(world.factsOf("unarchived")).toMatchObject([
      { user: "bob", conversWith: "ann", conversation: "ann.bob" },
    ]);
  });

  it("does so once, however many follow", async () => {
    const world = await archived();

    await Promise.all(["two", "three", "four"].map((text) => world.send("ann", "bob", { text })));
    await world.send("ann", "bob", { text: "five" });

    expect(world.factsOf("unarchived")).toHaveLength(1);
  });

  it("does so also when it is one's own", async () => {
    const world = await archived();

    await world.send("bob", "ann", { text: "mine" });

    expect(await world.list("bob")).toHaveLength(1);
    expect(world.factsOf("unarchived")).toMatchObject([{ user: "bob", conversWith: "ann" }]);
  });

  it("does so for those who have archived a group, and for nobody else", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob", "cid");
    await world.engine.conversations.archive(as("bob"), "bob", "group-1");

    await world.send("ann", "group-1", { text: "hi" });

    expect(world.factsOf("unarchived")).toMatchObject([{ user: "bob", conversWith: "group-1" }]);
    expect(await world.list("bob")).toHaveLength(1);
  });

  it("does so after a restart", async () => {
    const before = await archived();
    const world = await World.start({ disk: before.disk, clock: before.clock });
    const [bob] = await world.people("bob");

    await world.send("ann", "bob", { text: "two" });

    expect(bob.kinds).toContain("archived-conversation-deleted");
    expect(world.factsOf("unarchived")).toHaveLength(1);
  });

  it("does so without anybody listening for facts", async () => {
    const world = await World.start({ listening: false });
    const [bob] = await world.people("bob");
    await world.send("ann", "bob", { text: "one" });
    await bob.archive("ann");
    bob.forget();

    await world.send("ann", "bob", { text: "two" });

    expect(bob.kinds).toEqual(["message-added", "archived-conversation-deleted"]);
    expect(await world.list("bob")).toHaveLength(1);
  });

  it("and archived again stays archived until the next", async () => {
    const world = await archived();
    await world.send("ann", "bob", { text: "two" });
    await world.engine.conversations.archive(as("bob"), "bob", "ann");

    expect(await world.list("bob", true)).toMatchObject([{ last_message_text: "two" }]);
    await world.send("ann", "bob", { text: "three" });
    expect(await world.list("bob", true)).toEqual([]);
    expect(world.factsOf("unarchived")).toHaveLength(2);
  });

  it("does not take it out of the archive of somebody who has left the group", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("bob"), "group-1", "bob");
    await world.engine.conversations.archive(as("bob"), "bob", "group-1");

    await world.send("ann", "group-1", { text: "hi" });

    expect(await world.list("bob", true)).toHaveLength(1);
    expect(world.factsOf("unarchived")).toEqual([]);
  });
});
