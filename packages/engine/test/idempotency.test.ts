import { createManualClock } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { admin, as, type Person, World } from "./world.ts";

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
  const named = { text: "hi", attributes: { tempUID: "T-1" } };
  const minute = 60_000;

  it("is the same for ten minutes when its tempUID, conversation and text are: by MQTT, REST, and after a restart", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", named);
    await world.clock.advance(5 * minute);
    await ann.send("bob", { ...named, timestamp: world.clock.now() });
    const rest = await world.send("ann", "bob", named);
    await world.clock.advance(5 * minute - 1);
    const later = await World.start({ disk: world.disk, clock: world.clock });

    expect(await later.send("ann", "bob", named)).toMatchObject({ repeated: true, seq: 1 });
    expect(rest).toMatchObject({ repeated: true, seq: 1 });
    expect(world.log("ann.bob")).toHaveLength(1);
    expect(bob.texts()).toEqual(["hi"]);
    // Each time the sender gets its copy, which ends its waiting.
    expect(ann.texts()).toEqual(["hi", "hi", "hi"]);
    expect(world.factsOf("message")).toHaveLength(1);
  });

  it("at the same moment, many times, is stored once", async () => {
    const world = await World.start();

    await Promise.all(Array.from({ length: 20 }, () => world.send("ann", "bob", named)));

    expect(world.log("ann.bob")).toHaveLength(1);
  });

  it.each([
    ["another tempUID", "bob", { ...named, attributes: { tempUID: "T-2" } }],
    ["another text", "bob", { ...named, text: "ho" }],
    ["a text that differs in its middle", "bob", { ...named, text: `${"x".repeat(200)}b${"x".repeat(200)}` }],
    ["another recipient", "cid", named],
    ["no tempUID", "bob", { text: "hi" }],
  ])("is a new one with %s", async (_what, recipient, message) => {
    const world = await World.start();

    await world.send("ann", "bob", named);
    await world.send("ann", "bob", { ...named, text: `${"x".repeat(200)}a${"x".repeat(200)}` });

    expect(await world.send("ann", recipient, message)).toMatchObject({ repeated: false });
  });

  it("is a new one after ten minutes, as often as that happens, and each of these has its own repeats", async () => {
    const world = await World.start();
    const outcomes: boolean[] = [];
    // Ten minutes begin anew by the clock between the second message and its repeat.
    const toTheHour = 3_600_000 - (world.clock.now() % 3_600_000);
    await world.clock.advance(toTheHour - 11 * minute);

    for (const waitMs of [0, 10 * minute, 2 * minute, 10 * minute, minute, 60 * minute]) {
      await world.clock.advance(waitMs);
      outcomes.push((await world.send("ann", "bob", named)).repeated);
    }

    expect(outcomes).toEqual([false, false, true, false, true, false]);
    expect(world.log("ann.bob")).toHaveLength(4);
  });

  it("stays erased: nobody brings it back with its tempUID", async () => {
    const world = await World.start();
    await world.send("ann", "bob", named);
    await world.engine.messages.erase(admin, "bob");

    await expect(world.send("ann", "bob", named)).rejects.toMatchObject({ code: "idempotency_conflict" });
  });

  it("that is refused today was stored all the same", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const first = await world.send("bob", "group-1", named);
    await world.engine.groups.removeMember(as("bob"), "group-1", "bob");

    expect(await world.send("bob", "group-1", named)).toEqual({ ...first, repeated: true });
    await world.clock.advance(10 * minute);
    await expect(world.send("bob", "group-1", named)).rejects.toMatchObject({ code: "not_member" });
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

describe("A packet of QoS 1 or 2 without any id in it", () => {
  const text = new TextEncoder().encode(JSON.stringify({ text: "ok" }));

  /** Publishes as a connection of ann's phone. */
  const publish = (world: World, person: Person, id: number, isDuplicate: boolean) =>
    world.engine.handlePublish(person.client.session, {
      topic: "apps/tilechat/outgoing/users/ann/messages/bob/outgoing",
      payload: text,
      packet: { id, isDuplicate },
    });

  it("that the client sends again over its next connection is one message, also after a restart", async () => {
    const world = await World.start();
    const first = await world.connect("ann", { clientId: "phone" });
    await publish(world, first, 7, false);
    const second = await world.connect("ann", { clientId: "phone" });
    await publish(world, second, 7, true);

    const later = await World.start({ disk: world.disk, clock: world.clock });
    const third = await later.connect("ann", { clientId: "phone" });
    await publish(later, third, 7, true);

    expect(world.log("ann.bob")).toHaveLength(1);
    expect(second.texts()).toEqual(["ok"]);
  });

  it.each([
    ["with the same identifier, which is free again", 7, false],
    ["with another identifier", 8, false],
    ["with another identifier, and sent again", 8, true],
  ])("is a new message %s", async (_what, id, isDuplicate) => {
    const world = await World.start();
    const ann = await world.connect("ann", { clientId: "phone" });

    await publish(world, ann, 7, false);
    for (let time = 0; time < 3; time++)
      await publish(world, ann, id + (isDuplicate ? time : 0), isDuplicate);

    expect(world.log("ann.bob")).toHaveLength(4);
  });

  it("is a new message from another client id, and when the client was connected in between without sending it again", async () => {
    const world = await World.start();
    const first = await world.connect("ann", { clientId: "phone" });
    await publish(world, first, 7, false);
    const desk = await world.connect("ann", { clientId: "desk" });
    await publish(world, desk, 7, true);
    await world.clock.advance(1_000);
    await world.connect("ann", { clientId: "phone" });
    await world.clock.advance(1_000);
    const third = await world.connect("ann", { clientId: "phone" });

    await publish(world, third, 7, true);

    expect(world.log("ann.bob")).toHaveLength(3);
  });
});
