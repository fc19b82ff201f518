import { describe, expect, it, test } from "vitest";
import { admin, allOf, app, as, World } from "./world.ts";

describe("A direct message", () => {
  it("reaches the recipient as delivered and comes back to the sender as sent, with one id and one number", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", { text: "hi", type: "text", sender_fullname: "Ann" });

    const [sent] = ann.messages("bob");
    const [delivered] = bob.messages("ann");
    expect(sent).toMatchObject({
      text: "hi",
      sender: "ann",
      recipient: "bob",
      app_id: app,
      status: 100,
      seq: 1,
    });
    expect(delivered).toEqual({ ...sent, status: 150 });
    expect(ann.kinds).toEqual(["message-added"]);
    expect(bob.kinds).toEqual(["message-added"]);
  });

  it("goes over the wire as its sender wrote it, with the server's keys behind", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", ' {"text": "h\\u00ef", "n": 1.0, "id": 12345678901234567890, "attributes":null } ');

    const { message_id: id, timestamp } = bob.messages()[0];
    expect(bob.frames[0]?.text).toBe(
      `{"text": "h\\u00ef", "n": 1.0, "id": 12345678901234567890, "attributes":null ,"message_id":"${id}",` +
        `"sender":"ann","recipient":"bob","app_id":"tilechat","timestamp":${timestamp},"seq":1,` +
        `"epoch":"epoch-1","status":150}`,
    );
  });

  it("keeps null null, absent absent, and every key that nobody knows", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    const message = {
      text: null,
      metadata: { src: "s", deep: [{}] },
      custom: { constructor: 1 },
      language: "it",
    };

    await ann.send("bob", message);

    expect(bob.messages()[0]).toMatchObject(message);
    expect(bob.messages()[0]).not.toHaveProperty("attributes");
    expect((await world.history("bob", "ann"))[0]).toMatchObject(message);
  });

  it("says who sent it whatever its payload says, even under escaped and doubled keys", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send(
      "bob",
      '{"sender":"eve","\\u0073ender":"eve","text":"x","recipient":"eve","app_id":"other","message_id":"m",' +
        '"status":300,"seq":99,"epoch":"e","timelineOf":"eve","conversWith":"eve","_id":"i","__history":"true",' +
        '"device":"d","sender":"eve"}',
    );

    const [message] = bob.messages("ann");
    expect(message).toMatchObject({
      text: "x",
      sender: "ann",
      recipient: "bob",
      app_id: app,
      status: 150,
      seq: 1,
    });
    expect(Object.keys(message)).toHaveLength(9);
    expect(bob.frames[0]?.text).not.toContain("eve");
  });

  it("comes with hundreds of others in the order in which they were sent, numbered without holes", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    const texts = Array.from({ length: 300 }, (_, index) => `m${index}`);

    await Promise.all(texts.map((text) => ann.send("bob", { text })));

    expect(bob.texts()).toEqual(texts);
    expect(ann.texts()).toEqual(texts);
    expect(bob.messages().map(({ seq }) => seq)).toEqual(texts.map((_, index) => index + 1));
  });

  it("has a timestamp beyond the one before it, even within one millisecond", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await Promise.all([1, 2, 3].map((n) => ann.send("bob", { text: `a${n}` })));
    await bob.send("ann", { text: "b" });

    const now = world.clock.now();
    expect(bob.messages("ann").map(({ timestamp }) => timestamp)).toEqual([now, now + 1, now + 2, now + 3]);
  });

  it("shares one log with what comes back", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", { text: "a" });
    await bob.send("ann", { text: "b" });

    expect(await world.textsOf("ann", "bob")).toEqual(["a", "b"]);
    expect(await world.textsOf("bob", "ann")).toEqual(["a", "b"]);
    expect(world.log("ann.bob").map(({ seq, sender }) => [seq, sender])).toEqual([
      [1, "ann"],
      [2, "bob"],
    ]);
  });

  it("reaches every device of both", async () => {
    const world = await World.start();
    const ann = [await world.connect("ann"), await world.connect("ann", { clientId: "ann-2" })];
    const bob = [await world.connect("bob"), await world.connect("bob", { clientId: "bob-2" })];

    await ann[0]?.send("bob", { text: "hi" });

    expect([...ann, ...bob].map((device) => device.texts())).toEqual([["hi"], ["hi"], ["hi"], ["hi"]]);
  });

  it("reaches nobody else, and nobody of the same name in another app", async () => {
    const world = await World.start();
    const [ann, bob, cid] = await world.people("ann", "bob", "cid");
    const stranger = await world.connect("bob", { app: "other", clientId: "other-device" });

    await ann.send("bob", { text: "hi" });

    expect(bob.texts()).toEqual(["hi"]);
    expect(cid.frames).toEqual([]);
    expect(stranger.frames).toEqual([]);
  });

  it("waits in history for somebody who is not connected", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    await ann.send("bob", { text: "hi" });

    expect(await world.textsOf("bob", "ann")).toEqual(["hi"]);
  });

  it("is stored before anybody sees it, and seen before it is acknowledged", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    const order: string[] = [];
    world.atStore = (point) => {
      if (point === "events.commit:after") order.push(`stored, ${bob.messages().length} seen`);
    };

    await ann
      .send("bob", { text: "hi" })
      .then(() => order.push(`acknowledged, ${bob.messages().length} seen`));

    expect(order).toEqual(["stored, 0 seen", "acknowledged, 1 seen"]);
  });

  it("may have ids of the longest kind that a broker can carry", async () => {
    const world = await World.start();
    const [long, other] = await world.people("u".repeat(64), "v".repeat(64));

    await long.send("v".repeat(64), { text: "hi" });

    expect(other.texts("u".repeat(64))).toEqual(["hi"]);
  });
});

describe("A client's own timestamp", () => {
  const day = 24 * 60 * 60 * 1_000;

  test.each([
    ["an hour ago", -3_600_000, true],
    ["a day ago", -day, true],
    ["more than a day ago", -day - 1, false],
    ["in a minute", 60_000, true],
    ["in more than a minute", 60_001, false],
  ])("of %s is kept: %s ms, %s", async (_when, offset, kept) => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    const now = world.clock.now();

    await ann.send("bob", { text: "x", timestamp: now + offset });

    expect(ann.messages()[0].timestamp).toBe(kept ? now + offset : now);
  });

  it.each([(time: number) => String(time), (time: number) => new Date(time).toISOString()])(
    "may be digits, or a date",
    async (write) => {
      const world = await World.start();
      const [ann] = await world.people("ann");
      const earlier = world.clock.now() - 5_000;

      await ann.send("bob", { text: "x", timestamp: write(earlier) });

      expect(ann.messages()[0].timestamp).toBe(earlier);
    },
  );

  it.each([0, null, 1.5, -1, "yesterday", "1.5"])("of %j is replaced by the server's", async (timestamp) => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    await ann.send("bob", { text: "x", timestamp });

    expect(ann.messages()[0].timestamp).toBe(world.clock.now());
  });

  it("never puts a message before an earlier one", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    const now = world.clock.now();

    await ann.send("bob", { text: "later", timestamp: now + 30_000 });
    await ann.send("bob", { text: "sooner", timestamp: now - 30_000 });

    expect(ann.messages().map(({ timestamp }) => timestamp)).toEqual([now + 30_000, now + 30_001]);
  });
});

describe("A message sent by an operation", () => {
  it("answers with its id, its number and the sender's copy", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");

    const answer = await world.send("ann", "bob", { text: "hi" });

    expect(answer).toMatchObject({ seq: 1, epoch: "epoch-1", repeated: false, timestamp: world.clock.now() });
    expect(JSON.parse(answer.message)).toEqual({ ...bob.messages("ann")[0], status: 100 });
    expect(answer.messageId).toBe(bob.messages()[0].message_id);
  });

  it("may name another sender only if an admin asks", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    const request = { recipient: "bob", sender: "ann", body: '{"text":"for ann"}' };

    await expect(world.engine.messages.send(as("eve"), request)).rejects.toMatchObject({ code: "forbidden" });
    await world.engine.messages.send(admin, request);

    expect(bob.messages("ann")).toMatchObject([{ sender: "ann", text: "for ann" }]);
    expect(world.log("ann.bob")).toHaveLength(1);
  });

  it("counts for nobody but the two: a stranger finds nothing, an admin may read", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "secret" });

    await expect(allOf(world.engine.messages.list(as("eve"), "ann", "bob", {}))).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(await world.history("eve", "bob")).toEqual([]);
    expect(await world.history("eve", "ann")).toEqual([]);
    expect(await allOf(world.engine.messages.list(admin, "ann", "bob", {}))).toHaveLength(1);
  });
});

test("A message in an app is not seen in another, though the ids are the same", async () => {
  const world = await World.start();
  const [ann] = await world.people("ann");

  await ann.send("bob", { text: "hi" });

  const elsewhere = { app: "other", user: "ann", admin: true };
  expect(await allOf(world.engine.messages.list(elsewhere, "ann", "bob", {}))).toEqual([]);
  expect(await allOf(world.engine.conversations.list(elsewhere, "ann", false, {}))).toEqual([]);
});
