import { createManualClock } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { admin, as, World } from "./world.ts";

const once = (text: string, id = "key-1") => ({ text, client_message_id: id });

describe("A message sent again under its client_message_id", () => {
  it("is stored once, and answers with the first one's id and number", async () => {
    const world = await World.start();

    const first = await world.send("ann", "bob", once("hi"));
    const second = await world.send("ann", "bob", once("hi"));

    expect(second).toEqual({ ...first, repeated: true });
    expect(world.log("ann.bob")).toHaveLength(1);
    expect(world.count("repeats")).toBe(1);
  });

  it("answers only its sender, with the very copy of the first time", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", once("hi"));
    await ann.send("bob", once("hi"));

    const [first, second] = ann.frames;
    expect(second).toEqual(first);
    expect(ann.frames).toHaveLength(2);
    expect(bob.texts()).toEqual(["hi"]);
    expect(world.factsOf("message")).toHaveLength(1);
  });

  it("answers a group's sender as the group does", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    await world.createGroup("group-1", "ann", "bob");
    for (const person of [ann, bob]) person.forget();

    await ann.send("group-1", once("hi"));
    await ann.send("group-1", once("hi"));

    expect(ann.messages("group-1").map(({ status }) => status)).toEqual([150, 150]);
    expect(bob.texts()).toEqual(["hi"]);
  });

  it("at the same moment, many times, is stored once", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await Promise.all(Array.from({ length: 20 }, () => ann.send("bob", once("hi"))));

    expect(world.log("ann.bob")).toHaveLength(1);
    expect(bob.texts()).toEqual(["hi"]);
    expect(ann.texts()).toEqual(Array.from({ length: 20 }, () => "hi"));
  });

  it("between others neither takes a number nor changes their order", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    await ann.send("bob", once("a"));

    await Promise.all([
      ann.send("bob", { text: "b" }),
      ann.send("bob", once("a")),
      ann.send("bob", { text: "c" }),
      ann.send("bob", once("a")),
      ann.send("bob", { text: "d" }),
    ]);

    expect(bob.messages().map(({ text, seq }) => [text, seq])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["d", 4],
    ]);
  });

  it("is known for ever, and after a restart", async () => {
    const world = await World.start();
    const first = await world.send("ann", "bob", once("hi"));
    await world.engine.drain();
    await world.store.close();

    const inAYear = createManualClock(world.clock.now() + 365 * 24 * 60 * 60 * 1_000);
    const later = await World.start({ disk: world.disk, clock: inAYear });

    expect(await later.send("ann", "bob", once("hi"))).toMatchObject({
      messageId: first.messageId,
      repeated: true,
    });
  });

  it("with another timestamp or device is the same message", async () => {
    const world = await World.start();
    const now = world.clock.now();
    const first = await world.send("ann", "bob", { ...once("hi"), timestamp: now - 10, device: "d1" });

    const second = await world.send("ann", "bob", { ...once("hi"), timestamp: now, device: "d2" });

    expect(second).toEqual({ ...first, repeated: true });
  });
});

describe("A client_message_id used for something else", () => {
  it.each([
    ["another text", "ann", "bob", { text: "other" }],
    ["another recipient", "ann", "cid", { text: "hi" }],
    ["a group", "ann", "group-1", { text: "hi" }],
    ["more attributes", "ann", "bob", { text: "hi", attributes: {} }],
  ])("is refused: %s", async (_what, sender, recipient, change) => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    await world.send("ann", "bob", once("hi"));
    ann.forget();

    await ann.send(recipient, { ...once("hi"), ...change });
    const again = world.send(sender, recipient, { ...once("hi"), ...change });

    await expect(again).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect(ann.answers).toMatchObject([{ code: "idempotency_conflict", client_message_id: "key-1" }]);
    expect(ann.messages()).toEqual([]);
    expect(world.disk.conversations.size).toBe(1);
    expect(world.log("ann.bob")).toHaveLength(1);
  });

  it("belongs to one sender in one app: others may use the same", async () => {
    const world = await World.start();

    await world.send("ann", "bob", once("a"));
    await world.send("bob", "ann", once("b"));
    await world.engine.messages.send(
      { app: "other", user: "ann", admin: false },
      { recipient: "bob", body: JSON.stringify(once("c")) },
    );

    expect(world.log("ann.bob")).toHaveLength(2);
    expect(world.disk.conversations.size).toBe(2);
  });

  it("in the same batch as its first use is refused, and the first use is not", async () => {
    const world = await World.start();

    const outcomes = await Promise.allSettled([
      world.send("ann", "bob", once("first")),
      world.send("ann", "bob", once("second")),
      world.send("ann", "cid", once("third")),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(await world.textsOf("bob", "ann")).toEqual(["first"]);
    expect(world.log("ann.cid")).toEqual([]);
  });

  it.each([
    ["the very message that was erased", once("hi")],
    ["another one", once("anew")],
    ["an empty one, which is all that is left of it", { client_message_id: "key-1" }],
  ])("stays used after erasure: nobody brings a message back with %s", async (_what, again) => {
    const world = await World.start();
    await world.send("ann", "bob", once("hi"));
    await world.engine.messages.erase(admin, "bob");
    const [ann, bob] = await world.people("ann", "bob");

    await expect(world.send("ann", "bob", again)).rejects.toMatchObject({ code: "idempotency_conflict" });

    expect(world.log("ann.bob")).toMatchObject([
      { type: "message", body: "{}", overlay: expect.stringContaining("deleted") },
      { type: "erased" },
    ]);
    expect([...ann.messages(), ...bob.messages()]).toEqual([]);
  });
});

describe("A message without an id", () => {
  it("is a new one every time, whatever its tempUID", async () => {
    const world = await World.start();
    const message = { text: "hi", attributes: { tempUID: "T-1" } };

    await world.send("ann", "bob", message);
    await world.send("ann", "bob", message);

    expect(await world.textsOf("bob", "ann")).toEqual(["hi", "hi"]);
  });

  it.each([null, undefined])("has %j as its id", async (id) => {
    const world = await World.start();

    await world.send("ann", "bob", { text: "1", client_message_id: id });
    await world.send("ann", "bob", { text: "2", client_message_id: id });

    expect(await world.textsOf("bob", "ann")).toEqual(["1", "2"]);
  });
});

describe("A repeat that is refused today", () => {
  it("is still the same message: who has left a group learns that it was stored", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const first = await world.send("bob", "group-1", once("hi"));
    await world.engine.groups.removeMember(as("bob"), "group-1", "bob");

    const again = await world
      .send("bob", "group-1", once("hi"))
      .catch((thrown: { code: string }) => thrown.code);

    expect(again).toEqual({ ...first, repeated: true });
  });
});
