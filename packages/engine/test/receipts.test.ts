import { limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { allOf, as, type Json, type Person, World } from "./world.ts";

/** Ann has sent bob some messages. */
async function sent(
  ...messages: readonly Json[]
): Promise<readonly [World, Person, Person, readonly string[]]> {
  const world = await World.start({ rateLimits: true });
  const ids: string[] = [];
  for (const message of messages) ids.push((await world.send("ann", "bob", message)).messageId);
  const [ann, bob] = await world.people("ann", "bob");
  return [world, ann, bob, ids];
}

async function stateOf(world: World, user: string): Promise<Json> {
  const [state = "{}"] = await allOf(world.engine.conversations.states(as(user), user, null, {}));
  return JSON.parse(state);
}

describe("A receipt for a message's id", () => {
  it("tells its sender, who sees it as received by the other", async () => {
    const [world, ann, bob, [id]] = await sent({ text: "one" });

    await bob.receive("ann", String(id));

    expect(ann.bodies("message-updated")).toEqual([{ timelineOf: "ann", message_id: id, status: 250 }]);
    expect(ann.frames.find(({ kind }) => kind === "message-updated")?.topic).toBe(
      `apps/tilechat/users/ann/messages/bob/${id}/clientupdated`,
    );
    expect(bob.bodies("message-updated")).toEqual([]);
    expect(await world.history("ann", "bob")).toMatchObject([{ status: 250 }]);
    expect(await world.history("bob", "ann")).toMatchObject([{ status: 200 }]);
  });

  it("moves the watermark, and both sides hear of it", async () => {
    const [world, ann, bob, ids] = await sent({ text: "one" }, { text: "two" }, { text: "three" });

    await bob.receive("ann", String(ids[1]));

    expect(ann.bodies("ephemeral")).toEqual([
      { type: "receipt", conversWith: "bob", user: "bob", delivered: 2, read: 0 },
    ]);
    expect(bob.bodies("ephemeral")).toEqual([
      { type: "receipt", conversWith: "ann", user: "bob", delivered: 2, read: 0 },
    ]);
    expect((await world.history("ann", "bob")).map(({ status }) => status)).toEqual([250, 250, 100]);
    expect((await world.history("bob", "ann")).map(({ status }) => status)).toEqual([200, 200, 150]);
    expect(await stateOf(world, "ann")).toMatchObject({ counterpart: { delivered: 2, read: 0 } });
  });

  it("never moves the watermark back", async () => {
    const [world, ann, bob, ids] = await sent({ text: "one" }, { text: "two" });

    await bob.receive("ann", String(ids[1]));
    await bob.receive("ann", String(ids[0]));

    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 2 });
    expect(ann.bodies("message-updated").map(({ message_id: id }) => id)).toEqual([ids[1], ids[0]]);
  });

  it("is a fact for backends", async () => {
    const [world, , bob, [id]] = await sent({ text: "one" });

    await bob.receive("ann", String(id));

    expect(world.factsOf("receipt")).toMatchObject([
      { user: "bob", conversWith: "ann", messageId: id, conversation: "ann.bob", app: "tilechat" },
    ]);
  });

  it("reads nothing: the conversation stays new", async () => {
    const [world, , bob, [id]] = await sent({ text: "one" });

    await bob.receive("ann", String(id));

    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 1, read: 0, unread: 1 });
    expect(await world.list("bob")).toMatchObject([{ is_new: true }]);
  });
});

describe("A receipt for a tempUID", () => {
  it("counts for the message, and is passed on under the name it was given", async () => {
    const [world, ann, bob, ids] = await sent({ text: "one", attributes: { tempUID: "T-1" } });

    await bob.receive("ann", "T-1");

    expect(ann.bodies("message-updated")).toEqual([{ timelineOf: "ann", message_id: "T-1", status: 250 }]);
    expect(await world.history("ann", "bob")).toMatchObject([{ message_id: ids[0], status: 250 }]);
  });

  it("that several messages carry counts for the newest", async () => {
    const [world, , bob] = await sent(
      { text: "one", attributes: { tempUID: "T-1" } },
      { text: "two", attributes: { tempUID: "T-1" } },
    );

    await bob.receive("ann", "T-1");

    expect((await world.history("ann", "bob")).map(({ status }) => status)).toEqual([250, 250]);
  });
});

describe("A receipt for an id that nobody knows", () => {
  it("is passed on as it was given, and not stored", async () => {
    const [world, ann, bob] = await sent({ text: "one" });

    await bob.receive("ann", "T-unknown");

    expect(ann.bodies("message-updated")).toEqual([
      { timelineOf: "ann", message_id: "T-unknown", status: 250 },
    ]);
    expect(world.factsOf("receipt")).toEqual([]);
    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 0 });
    expect(world.log("ann.bob")).toHaveLength(1);
  });

  it("is limited to 60 a minute, and told so", async () => {
    const [world, ann, bob] = await sent({ text: "one" });

    for (let count = 0; count < 61; count++) await bob.receive("ann", `T-${count}`);

    expect(ann.bodies("message-updated")).toHaveLength(60);
    expect(bob.answers).toMatchObject([{ code: "rate_limited", retry_after_ms: 1_000 }]);
    await world.clock.advance(1_000);
    await bob.receive("ann", "T-later");
    expect(ann.bodies("message-updated")).toHaveLength(61);
  });

  it("is what a message is that lies behind the newest ones", async () => {
    const world = await World.start();
    const { receiptReach } = limits;
    const ids: string[] = [];
    for (let seq = 0; seq <= receiptReach; seq++)
      ids.push((await world.send("ann", "bob", { text: "one" })).messageId);
    const [ann, bob] = await world.people("ann", "bob");

    await bob.receive("ann", String(ids[0]));

    expect(ann.bodies("message-updated")).toMatchObject([{ message_id: ids[0], status: 250 }]);
    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 0 });
    await bob.receive("ann", String(ids[1]));
    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 2 });
  });

  it("costs nothing of that rate when the id is known", async () => {
    const [, ann, bob, [id]] = await sent({ text: "one" });

    for (let count = 0; count < 70; count++) await bob.receive("ann", String(id));

    expect(ann.bodies("message-updated")).toHaveLength(70);
    expect(bob.answers).toEqual([]);
  });

  it("whose topic would be too long for a broker is swallowed", async () => {
    const app = "a".repeat(50);
    const [long, other] = ["u".repeat(64), "v".repeat(64)];
    const world = await World.start();
    const actor = { app, user: long, admin: false };
    await world.engine.messages.send(actor, { recipient: other, body: '{"text":"x"}' });
    const sender = await world.connect(long, { app });
    const receiver = await world.connect(other, { app });
    const receive = (id: string) =>
      receiver.client.publish(`apps/${app}/users/${other}/messages/${long}/${id}/update`, { status: 200 });

    await receive("T".repeat(64));
    await receive("T-1");

    expect(sender.bodies("message-updated")).toMatchObject([{ message_id: "T-1" }]);
  });
});

describe("A receipt that is none", () => {
  it.each([{ status: 100 }, { status: 250 }, { status: 300 }, { status: -100 }])(
    "with %j has no effect",
    async (receipt) => {
      const [world, ann, bob, [id]] = await sent({ text: "one" });

      await bob.receive("ann", String(id), receipt);

      expect([...ann.frames, ...bob.frames]).toEqual([]);
      expect(await stateOf(world, "bob")).toMatchObject({ delivered: 0 });
    },
  );

  it.each(['"200"', "200", "null", "[]", "{", { status: "200" }, {}])("as %j is refused", async (receipt) => {
    const [, ann, bob, [id]] = await sent({ text: "one" });

    await bob.receive("ann", String(id), receipt);

    expect(ann.frames).toEqual([]);
    expect(bob.answers).toMatchObject([{ code: "bad_request" }]);
  });
});

describe("A forged receipt", () => {
  it("between people who never spoke reaches nobody", async () => {
    const [world, ann] = await sent({ text: "one" });
    const [eve] = await world.people("eve");

    await eve.receive("ann", "anything");
    await eve.receive("bob", "anything");
    await eve.receive("eve", "anything");

    expect(ann.frames).toEqual([]);
    expect(eve.frames).toEqual([]);
    expect(world.disk.conversations.size).toBe(1);
  });

  it("for a message of another conversation is only passed on to the one it names, and stored nowhere", async () => {
    const [world, ann, bob, [id]] = await sent({ text: "one" });
    const [eve] = await world.people("eve");
    await world.send("eve", "ann", { text: "hello" });
    ann.forget();

    await eve.receive("ann", String(id));

    expect(ann.bodies("message-updated")).toMatchObject([{ message_id: id, status: 250 }]);
    expect(await world.history("ann", "bob")).toMatchObject([{ status: 100 }]);
    expect(bob.frames).toEqual([]);
    expect(world.factsOf("receipt")).toEqual([]);
  });

  it("for one's own message has no effect", async () => {
    const [world, ann, bob, [id]] = await sent({ text: "one" });

    await ann.receive("bob", String(id));

    expect([...ann.frames, ...bob.frames]).toEqual([]);
    expect(await stateOf(world, "ann")).toMatchObject({
      delivered: 0,
      counterpart: { delivered: 0, read: 0 },
    });
  });

  it("for a message of an earlier version that is hidden for oneself has no effect", async () => {
    const [world, ann, bob] = await sent({ text: "one" });
    const hidden = { seq: 2, messageId: "hidden", hiddenFor: "bob", clientMessageId: null };
    const events = world.log("ann.bob").map((event) => ({ ...event, ...hidden }));
    const conversation = {
      app: "tilechat",
      conversation: "ann.bob",
      kind: "direct",
      transient: false,
    } as const;
    await world.store.events.commit([{ ...conversation, expectedHead: 1, events }]);

    await bob.receive("ann", "hidden");

    expect(ann.frames).toEqual([]);
    expect(await stateOf(world, "bob")).toMatchObject({ delivered: 0 });
  });
});

describe("A receipt in a group", () => {
  it("is swallowed, and not refused", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    await world.createGroup("group-1", "ann", "bob");
    const { messageId } = await world.send("ann", "group-1", { text: "hi" });
    for (const person of [ann, bob]) person.forget();

    await bob.receive("group-1", messageId);
    await bob.receive("group-1", "T-unknown");

    expect([...ann.frames, ...bob.frames]).toEqual([]);
    expect(world.factsOf("receipt")).toEqual([]);
  });
});
