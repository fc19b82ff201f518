import { limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { admin, type Json, type Person, World } from "./world.ts";

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

/** What P1 must refuse. */
const refusedMessages: readonly (readonly [what: string, payload: Json, code: string])[] = [
  ["nothing", "", "bad_request"],
  ["broken JSON", '{"text":', "bad_request"],
  ["a JSON string", '"hi"', "bad_request"],
  ["a JSON number", "42", "bad_request"],
  ["null", "null", "bad_request"],
  ["true", "true", "bad_request"],
  ["an array", '[{"text":"hi"}]', "bad_request"],
  ["two objects", "{}{}", "bad_request"],
  ["bytes that are no UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "bad_request"],
  ["half a surrogate in bytes", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), "bad_request"],
  ["a text as inline group", { group: "bob" }, "bad_request"],
  ["an inline group without members", { group: {} }, "bad_request"],
  ["an inline group with a list of members", { group: { members: ["bob"] } }, "bad_request"],
  ["a client_message_id outside the alphabet", { client_message_id: "a/b" }, "bad_request"],
  ["an empty client_message_id", { client_message_id: "" }, "bad_request"],
  ["nesting of 33 levels", nested(33), "bad_request"],
  ["nesting of 10,000 levels", nested(10_000), "bad_request"],
  ["10,000 open brackets", "[".repeat(10_000), "bad_request"],
  ["more than 100 KiB", { text: "x".repeat(limits.payloadBytes) }, "payload_too_large"],
  ["100 KiB of blanks", `{}${" ".repeat(limits.payloadBytes - 1)}`, "payload_too_large"],
];

describe("A message that is refused", () => {
  it.each(refusedMessages)(
    "is answered, stored nowhere, and disturbs nobody: %s",
    async (_what, payload, code) => {
      const world = await World.start();
      const [ann, bob] = await world.people("ann", "bob");

      await ann.send("bob", payload);

      expect(ann.answers).toEqual([{ code, message: expect.any(String) }]);
      expect(ann.frames[0]).toMatchObject({
        topic: "apps/tilechat/users/ann/devices/ann-device/answer",
        qos: 1,
      });
      expect(world.disk.conversations.size).toBe(0);
      expect(world.count(`refused:${code}`)).toBe(1);
      expect(bob.frames).toEqual([]);
      await bob.send("ann", { text: "still there" });
      expect(ann.texts()).toEqual(["still there"]);
      expect(ann.client.isOpen).toBe(true);
    },
  );

  it.each([
    ["a number as text", { text: 5 }],
    ["a number as channel type", { channel_type: 1 }],
    ["an object as timestamp", { timestamp: {} }],
    ["an endless timestamp", '{"timestamp":1e999}'],
    ["a device that is no id", { device: "#" }],
  ])("is not one with %s: existing clients do not read a refusal", async (_what, payload) => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", payload);

    expect(ann.answers).toEqual([]);
    expect(bob.frames).toHaveLength(1);
    expect(world.log("ann.bob")).toMatchObject([{ sender: "ann", timestamp: world.clock.now() }]);
  });

  it("is told to an edge that asks, before it is settled, and answered all the same", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    const told: string[] = [];

    await world.engine.handlePublish(ann.client.session, {
      topic: "apps/tilechat/outgoing/users/ann/messages/bob/outgoing",
      payload: new TextEncoder().encode("no JSON"),
      onRefused: ({ code }) => told.push(code),
    });

    expect(told).toEqual(["bad_request"]);
    expect(ann.answers).toEqual([{ code: "bad_request", message: expect.any(String) }]);
  });

  it("is accepted at the very limits", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", nested(32));
    await ann.send("bob", { text: "x".repeat(limits.payloadBytes - '{"text":""}'.length) });
    await ann.send("bob", { text: "é".repeat((limits.payloadBytes - '{"text":""}'.length - 1) / 2) });

    expect(bob.messages()).toHaveLength(3);
    expect(ann.answers).toEqual([]);
  });

  it.each([
    { attributes: "x" },
    { attributes: ["x"] },
    { metadata: 1 },
    { language: { code: "it" } },
    { channel_type: "loud" },
  ])("is not one that only has what clients read in an unusual form: %j", async (unusual) => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", { text: "hi", ...unusual });

    expect(ann.answers).toEqual([]);
    expect(bob.frames.map(({ text }) => JSON.parse(text))).toMatchObject([{ text: "hi", ...unusual }]);
  });

  it("is answered under its client_message_id, even when something else in it is wrong", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    await ann.send("bob", { group: 5, client_message_id: "key-1" });
    await ann.send("group-1", { text: "x", group: { members: { "": 1 } }, client_message_id: "key-2" });

    expect(ann.answers).toMatchObject([
      { code: "bad_request", client_message_id: "key-1" },
      { code: "invalid_id", client_message_id: "key-2" },
    ]);
  });

  it("is answered on the device that it names, or else on the connection's own", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    await ann.send("bob", { group: 5, device: "tab-7" });
    await ann.send("group-1", { text: "x", device: "tab-7", group: { members: { "": 1 } } });
    await ann.send("bob", { group: 5, device: "a/b" });

    expect(ann.frames.map((frame) => frame.kind === "answer" && frame.device)).toEqual([
      "tab-7",
      "tab-7",
      "ann-device",
    ]);
  });

  it("says which field is wrong, and shows none of its content", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    await ann.send("bob", { text: "hush", group: ["secret-value"] });

    expect(ann.answers[0].message).toMatch(/^group: /);
    expect(ann.frames[0]?.text).not.toMatch(/hush|secret-value/);
  });

  it("in a row of 500 harms none of its neighbours", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    const texts = Array.from({ length: 500 }, (_, index) => `m${index}`);

    await Promise.all(texts.map((text, index) => ann.send("bob", index === 250 ? '{"text":' : { text })));

    const expected = texts.filter((_, index) => index !== 250);
    expect(bob.texts()).toEqual(expected);
    expect(world.log("ann.bob").map(({ seq }) => seq)).toEqual(expected.map((_, index) => index + 1));
    expect(ann.answers).toMatchObject([{ code: "bad_request" }]);
  });

  it("for a recipient with an id too long for a broker is answered", async () => {
    const world = await World.start();
    const long = await world.connect("u".repeat(limits.userIdBytes));

    await long.send("v".repeat(limits.userIdBytes), { text: "x" });
    await long.send(`group-${"g".repeat(122)}`, { text: "x" });

    expect(long.answers).toMatchObject([{ code: "invalid_id" }, { code: "invalid_id" }]);
    expect(world.disk.conversations.size).toBe(0);
  });
});

describe("A topic that is not one's own", () => {
  const outgoing = (user: string, recipient: string) =>
    `apps/tilechat/outgoing/users/${user}/messages/${recipient}/outgoing`;

  it.each([
    ["another user's outgoing topic", outgoing("bob", "ann")],
    ["another user's outgoing topic to its owner", outgoing("bob", "bob")],
    ["another user's inbox", "apps/tilechat/users/bob/messages/ann/clientadded"],
    ["an internal topic", "apps/observer/tilechat/groups/update"],
    ["another user's presence", "apps/tilechat/users/bob/presence/bob-device"],
    ["another user's receipt", "apps/tilechat/users/bob/messages/ann/m/update"],
    ["another user's conversation", "apps/tilechat/users/bob/conversations/ann/archive"],
    ["another user's command", "apps/tilechat/outgoing/users/bob/commands/bob-device"],
    ["another app", "apps/other/outgoing/users/ann/messages/bob/outgoing"],
    ["a near neighbour's", outgoing("ann-", "bob")],
    ["the broker's own", "$SYS/broker/uptime"],
    ["nothing", ""],
  ])("closes the connection: %s", async (_what, topic) => {
    const world = await World.start();
    const [ann, bob, cid] = await world.people("ann", "bob", "cid");

    await expect(ann.client.publish(topic, { text: "forged" })).rejects.toMatchObject({ code: "forbidden" });

    expect(ann.client.closedBecause).toBe("forbidden");
    expect(world.count("refused:forbidden")).toBe(1);
    expect(world.disk.conversations.size).toBe(0);
    expect([...ann.frames, ...bob.frames, ...cid.frames]).toEqual([]);
    await bob.send("cid", { text: "unharmed" });
    expect(cid.texts()).toEqual(["unharmed"]);
  });

  it.each([
    ["one's own inbox", "apps/tilechat/users/ann/messages/bob/clientadded"],
    ["a forged group update", "apps/tilechat/users/ann/x/groups/update"],
    ["a topic nobody knows", "apps/tilechat/users/ann/messages/bob/shrug"],
    ["a recipient with a dot", outgoing("ann", "a.b")],
    ["a recipient with a wildcard", outgoing("ann", "#")],
    ["a recipient with a star", outgoing("ann", "*")],
    ["a recipient that begins with $", outgoing("ann", "$bob")],
    ["an empty recipient", outgoing("ann", "")],
    ["a recipient with a control character", outgoing("ann", "a\u0001")],
    ["a recipient of 129 bytes", outgoing("ann", "x".repeat(129))],
  ])(
    "below one's own path that nothing can be sent to is answered, and stores nothing: %s",
    async (_what, topic) => {
      const world = await World.start();
      const [ann, bob] = await world.people("ann", "bob");

      await ann.client.publish(topic, { text: "lost" });

      expect(ann.answers).toEqual([{ code: "invalid_id", message: expect.any(String) }]);
      expect(ann.client.isOpen).toBe(true);
      expect(world.count("refused:invalid_id")).toBe(1);
      expect(world.disk.conversations.size).toBe(0);
      expect(bob.frames).toEqual([]);
    },
  );

  it("is not even an admin's", async () => {
    const world = await World.start();
    const boss = await world.connect("boss", { admin: true });

    await expect(boss.client.publish(outgoing("bob", "ann"), { text: "x" })).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it.each([
    "#",
    "apps/tilechat/users/#",
    "apps/tilechat/users/+/messages/#",
    "apps/tilechat/users/bob/#",
    "apps/tilechat/users/annx/#",
    "apps/tilechat/outgoing/#",
    "apps/other/users/ann/#",
    "$SYS/#",
  ])("is not subscribed, and the connection stays: %s", async (filter) => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    expect(ann.client.subscribe(filter)).toBe(false);

    expect(ann.client.isOpen).toBe(true);
    await bob.send("bob", { text: "private" });
    expect(ann.frames).toEqual([]);
  });
});

describe("A command that is refused", () => {
  const cases: readonly (readonly [string, Json, Json])[] = [
    ["a string", '"string"', { code: "bad_request" }],
    ["broken JSON", "{", { code: "bad_request" }],
    ["nothing", {}, { code: "bad_request" }],
    ["an unknown type", { type: "dance", request_id: "r-1" }, { code: "bad_request", request_id: "r-1" }],
    ["no marks", { type: "mark", request_id: "r-1", marks: [] }, { code: "bad_request", request_id: "r-1" }],
    ["a request id outside the alphabet", { type: "typing", request_id: "#" }, { code: "bad_request" }],
    ["too much", { type: "typing", request_id: "x".repeat(110_000) }, { code: "payload_too_large" }],
  ];

  it.each(cases)("is answered under its request id: %s", async (_what, payload, expected) => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    await ann.client.publish("apps/tilechat/outgoing/users/ann/commands/ann-device", payload);

    expect(ann.answers).toEqual([{ message: expect.any(String), ...expected }]);
    expect(world.disk.conversations.size).toBe(0);
  });
});

describe("A presence that is refused", () => {
  it.each(['"online"', "1", "null", "[]", "{", ""])(
    "is answered, and changes nothing: %s",
    async (payload) => {
      const world = await World.start();
      const [ann] = await world.people("ann");

      await ann.announce(payload);

      expect(ann.answers).toMatchObject([{ code: "bad_request" }]);
      expect(await world.engine.presence.get(admin, ["ann"])).toMatchObject([{ online: false, lastSeen: 0 }]);
    },
  );
});

describe("An operation", () => {
  it.each([
    ["an empty recipient", { recipient: "", body: "{}" }, "invalid_id"],
    ["a recipient with a dot", { recipient: "ann.bob", body: "{}" }, "invalid_id"],
    ["a body that is no JSON", { recipient: "bob", body: "{" }, "bad_request"],
    [
      "a body that is too large",
      { recipient: "bob", body: JSON.stringify({ t: "x".repeat(limits.payloadBytes) }) },
      "payload_too_large",
    ],
    ["a sender outside the alphabet", { recipient: "bob", sender: "a/b", body: "{}" }, "invalid_id"],
  ])("refuses %s, and stores nothing", async (_what, request, code) => {
    const world = await World.start();

    const sending = world.engine.messages.send({ app: "tilechat", user: "ann", admin: true }, request);

    await expect(sending).rejects.toMatchObject({ code });
    expect(world.disk.conversations.size).toBe(0);
  });
});

describe("The server's own failure", () => {
  it("is told without its details", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    world.beforeSink = () => {
      throw new Error("password=hunter2");
    };

    await ann.send("bob", { text: "x", client_message_id: "key-1" });

    expect(ann.answers).toEqual([
      { code: "internal", message: "the server failed", client_message_id: "key-1" },
    ]);
  });
});

describe("An app that is not served here", () => {
  it("is refused at the door, and to operations", async () => {
    const world = await World.start({ apps: ["tilechat"] });
    const elsewhere = { app: "other", user: "ann", admin: true };

    await expect(world.connect("ann", { app: "other" })).rejects.toMatchObject({ code: "forbidden" });
    await expect(
      world.engine.messages.send(elsewhere, { recipient: "bob", body: "{}" }),
    ).rejects.toMatchObject({ code: "forbidden" });
    await expect(world.engine.groups.create(elsewhere, { name: "T", members: [] })).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(world.engine.conversations.archive(elsewhere, "ann", "bob")).rejects.toMatchObject({
      code: "forbidden",
    });
    const ann: Person = await world.connect("ann");
    expect(ann.client.isOpen).toBe(true);
  });
});
