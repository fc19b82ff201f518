import { ChatError, isId, limits, serverKeys } from "@chat21/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage, decodePayload, parseJsonObject } from "../src/decode-message.ts";
import { World } from "./world.ts";

const runs = { numRuns: 100_000 };

/** Keys that mean something, and some that mean too much. */
const key = fc.constantFrom(
  ...serverKeys,
  "text",
  "type",
  "attributes",
  "metadata",
  "group",
  "members",
  "client_message_id",
  "channel_type",
  "hiddenFor",
  "tempUID",
  "updateconversation",
  "__proto__",
  "constructor",
  "toString",
  "",
  "é💬",
);

const scalar = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e21,
    "",
    "group",
    "direct",
    "bob",
    "a.b",
    "\u0000",
    "\ud800",
  ),
  fc.string({ maxLength: 8 }),
  fc.double(),
);

/** Objects that are almost messages. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    scalar,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie("json")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

/** JSON text, whole or with something cut out, doubled or put in. */
const text = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.tuple(key, json), { maxLength: 6 }).map((entries) => textOf(entries)) },
  { weight: 1, arbitrary: json.map((value) => JSON.stringify(value) ?? "") },
  { weight: 1, arbitrary: fc.json({ maxDepth: 5 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        json,
        fc.nat(),
        fc.nat(6),
        fc.constantFrom("", '"', "{", "}", "[", ",", ":", "\\", "\u0000", "1e999"),
      )
      .map(([value, at, length, put]) => {
        const whole = JSON.stringify(value) ?? "";
        const from = whole.length === 0 ? 0 : at % whole.length;
        return whole.slice(0, from) + put + whole.slice(from + length);
      }),
  },
  { weight: 1, arbitrary: fc.string() },
);

/** An object's text with its keys as they come, doubled ones too. */
function textOf(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? "null"}`).join(",")}}`;
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  text.map((whole) => new TextEncoder().encode(whole)),
  fc.tuple(text, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([whole, at, byte]) => {
    const encoded = new TextEncoder().encode(whole);
    if (encoded.length > 0) encoded[at % encoded.length] = byte;
    return encoded;
  }),
);

const owned: ReadonlySet<string> = new Set(serverKeys);

/** Fails the test for anything that is no `ChatError` with an expected code. */
function expectTyped(thrown: unknown): void {
  const code = thrown instanceof ChatError ? thrown.code : undefined;
  if (code !== "bad_request" && code !== "payload_too_large") throw thrown;
}

describe("Decoding a message", () => {
  it("takes or refuses any text with a typed error, and never lets the server's keys through: 100,000 texts", () => {
    let taken = 0;
    fc.assert(
      fc.property(text, (whole) => {
        try {
          const { body } = decodeMessage(whole);
          taken++;
          const object = parseJsonObject(body);
          const expected = Object.entries(parseJsonObject(whole)).filter(
            ([name, value]) => !owned.has(name) || (name === "device" && !isId(value)),
          );
          // Compared as text: the matcher would take most of the time of 100,000 runs.
          if (JSON.stringify(Object.entries(object)) !== JSON.stringify(expected))
            expect(object).toEqual(expected);
          if (!body.endsWith("}")) expect(body).toMatch(/\}$/);
        } catch (thrown) {
          expectTyped(thrown);
        }
      }),
      runs,
    );
    expect(taken).toBeGreaterThan(5_000);
  }, 240_000);

  it("takes or refuses any bytes with a typed error: 100,000 payloads", () => {
    let taken = 0;
    fc.assert(
      fc.property(bytes, (payload) => {
        try {
          decodeMessage(decodePayload(payload));
          taken++;
        } catch (thrown) {
          expectTyped(thrown);
        }
      }),
      runs,
    );
    expect(taken).toBeGreaterThan(1_000);
  }, 240_000);

  it("is not confused by what it has refused before", () => {
    const good = new TextEncoder().encode('{"text":"é"}');
    for (const bad of [[0xc3], [0xff], [0xe2, 0x82], [0xf0, 0x9f, 0x92]]) {
      expect(() => decodePayload(new Uint8Array(bad))).toThrow(ChatError);
      expect(decodePayload(good)).toBe('{"text":"é"}');
    }
  });

  it("refuses what is too large before it looks at it", () => {
    const payload = new Uint8Array(limits.payloadBytes + 1).fill(0x20);

    expect(() => decodePayload(payload)).toThrow(expect.objectContaining({ code: "payload_too_large" }));
    expect(() => decodeMessage(`{"t":"${"€".repeat(35_000)}"}`)).toThrow(
      expect.objectContaining({ code: "payload_too_large" }),
    );
    expect(decodeMessage(`{"t":"${"€".repeat(21_000)}"}`).body).toHaveLength(21_008);
  });

  it("takes from a message what the rules need, and nothing that has the wrong form", () => {
    expect(
      decodeMessage(
        JSON.stringify({
          client_message_id: "key-1",
          timestamp: 5,
          channel_type: "group",
          group: { members: { a: 1, b: 0 } },
          attributes: { tempUID: "T-1", hiddenFor: "bob", updateconversation: false },
        }),
      ),
    ).toMatchObject({
      clientMessageId: "key-1",
      timestamp: 5,
      isForGroup: true,
      inlineMembers: ["a", "b"],
      tempUid: "T-1",
      hiddenFor: "bob",
      listed: false,
    });
    expect(
      decodeMessage(
        JSON.stringify({ attributes: { tempUID: 1, hiddenFor: [], updateconversation: "false" } }),
      ),
    ).toMatchObject({
      clientMessageId: null,
      timestamp: null,
      isForGroup: false,
      inlineMembers: null,
      tempUid: null,
      hiddenFor: null,
      listed: true,
    });
    expect(decodeMessage(JSON.stringify({ attributes: { tempUID: "x".repeat(65) } })).tempUid).toBeNull();
  });
});

describe("Whatever a client publishes", () => {
  it("is answered or delivered, and the next message goes through", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    const topics = [
      "apps/tilechat/outgoing/users/ann/messages/bob/outgoing",
      "apps/tilechat/outgoing/users/ann/messages/group-1/outgoing",
      "apps/tilechat/outgoing/users/ann/commands/ann-device",
      "apps/tilechat/users/ann/messages/bob/m/update",
      "apps/tilechat/users/ann/conversations/bob/update",
      "apps/tilechat/users/ann/conversations/bob/archive",
      "apps/tilechat/users/ann/presence/ann-device",
    ];

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...topics), bytes, async (topic, payload) => {
        await ann.client.publish(topic, payload);
      }),
      { numRuns: 3_000 },
    );

    expect(ann.client.isOpen).toBe(true);
    expect(ann.answers.every(({ code }) => code !== "internal")).toBe(true);
    expect(ann.frames.length + bob.frames.length).toBeGreaterThan(1_000);
    bob.forget();
    await ann.send("bob", { text: "still here" });
    expect(bob.texts()).toEqual(["still here"]);
    const log = world.log("ann.bob");
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  }, 240_000);
});
