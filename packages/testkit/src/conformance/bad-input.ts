import { limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { groupMessage } from "./groups.ts";
import { textMessage } from "./messages.ts";
import type { OldClient } from "./old-client.ts";
import { app, type World } from "./world.ts";

/** Wrong and hostile input. It is refused and counted, nothing is stored, and other clients are not disturbed. */
export function describeBadInput(world: () => World): void {
  /** Checks that two well-behaved clients can still talk. */
  const stillTalks = async (a: OldClient, b: OldClient) => {
    await a.send(b.user, textMessage("fence"));
    await b.nextMessage(a.user, "fence");
  };
  const refused = () => world().metric("chat21_refused_total");

  describe("a message that is refused is acknowledged and answered, and never stored", () => {
    it.each(refusedMessages)("%s", async (_what, payload, code) => {
      const [a, b] = await world().people("a", "b");
      const before = await refused();

      await a.publish(outgoing(a.user, b.user), payload, 1);
      const answer = (await a.nextAnswer()).payload;
      await stillTalks(a, b);

      expect(answer.code).toBe(code);
      expect(await refused()).toBe(before + 1);
      expect(b.untaken((frame) => frame.topic.endsWith("/clientadded"))).toEqual([]);
      expect(await world().history(b.user, a.user)).toMatchObject([{ text: "fence", seq: 1 }]);
    });

    it("the same id with another payload", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("one", { client_message_id: "key-1" }), 1);
      await a.send(b.user, textMessage("two", { client_message_id: "key-1" }), 1);

      const answer = (await a.nextAnswer()).payload;
      await stillTalks(a, b);

      expect(answer).toMatchObject({ client_message_id: "key-1", code: "idempotency_conflict" });
      expect((await world().history(a.user, b.user)).map(({ text }) => text)).toEqual(["fence", "one"]);
    });

    it("an inline group of a group that exists", async () => {
      const [a, stranger] = await world().people("a", "stranger");
      const group = await world().createGroup(a.user, [a.user]);
      const inline = groupMessage("hi", { group: { members: { [stranger.user]: 1 } } });

      await stranger.send(group, inline, 1);
      const toStranger = (await stranger.nextAnswer()).payload;
      await a.send(group, inline, 1);
      const toMember = (await a.nextAnswer()).payload;
      await a.send(group, groupMessage("fence"));
      await a.nextMessage(group, "fence");

      expect([toStranger.code, toMember.code]).toEqual(["not_member", "conflict"]);
      expect(a.untaken((frame) => frame.payload.text === "hi")).toEqual([]);
      expect(stranger.untaken((frame) => frame.topic.endsWith("/clientadded"))).toEqual([]);
    });

    it("one of 500 does not affect the others", async () => {
      const [a, b] = await world().people("a", "b");
      const texts = Array.from({ length: 500 }, (_, index) => `m${index}`);

      const acknowledged = texts.map((text, index) =>
        a.publish(outgoing(a.user, b.user), index === 250 ? '{"text":' : textMessage(text), 1),
      );
      await Promise.all(acknowledged);
      const expected = texts.filter((_, index) => index !== 250);
      const received: string[] = [];
      while (received.length < expected.length) received.push((await b.nextMessage(a.user)).payload.text);
      const answer = (await a.nextAnswer()).payload;

      expect(received).toEqual(expected);
      expect(answer.code).toBe("bad_request");
      expect((await world().history(b.user, a.user))[0]).toMatchObject({ text: "m499", seq: 499 });
    });
  });

  describe("a wrong patch, receipt, presence or command leaves everybody as they were", () => {
    it.each([
      [
        "a conversation patch that is a string",
        (me: string, other: string) => `users/${me}/conversations/${other}/update`,
      ],
      ["a receipt that is a string", (me: string, other: string) => `users/${me}/messages/${other}/x/update`],
      [
        "an archive that is a string",
        (me: string, other: string) => `users/${me}/conversations/${other}x/archive`,
      ],
      ["a command that is a string", (me: string) => `outgoing/users/${me}/commands/device`],
      ["a presence that is a string", (me: string) => `users/${me}/presence/device`],
    ])("%s", async (_what, topic) => {
      const [a, b] = await world().people("a", "b");

      await a.publish(`apps/${app}/${topic(a.user, b.user)}`, '"string"', 1).catch(() => {});
      const again = await world().connect(a.user);

      await stillTalks(again, b);
      expect(await world().history(b.user, a.user)).toHaveLength(1);
    });
  });

  describe("a publish on a topic that is not one's own closes the connection", () => {
    it.each(foreignTopics)("%s", async (_what, topic) => {
      const [a, b, c] = await world().people("a", "b", "c");

      await a.publish(topic(a.user, b.user), textMessage("forged"), 1).catch(() => {});
      await a.closed;
      await stillTalks(b, c);
      await stillTalks(c, b);

      expect(b.untaken((frame) => JSON.stringify(frame.payload).includes("forged"))).toEqual([]);
    });
  });

  describe("a publish on a topic that is nobody's has no effect, and is answered where we judge", () => {
    it.each(uselessTopics)("%s", async (_what, topic) => {
      const [a, b, c] = await world().people("a", "b", "c");

      await a.publish(topic(a.user, b.user), textMessage("useless"), 1).catch(() => {});
      if (world().topology.publishesAreJudgedBy === "policy") {
        // A wildcard in a topic breaks the protocol.
        if (/[+#]/.test(topic(a.user, b.user))) await a.closed;
        else expect((await a.nextAnswer()).payload.code).toBe("invalid_id");
      }
      await stillTalks(b, c);
      const again = await world().connect(a.user);
      await stillTalks(again, c);

      expect([b, c].flatMap((one) => one.untaken((frame) => frame.payload.text === "useless"))).toEqual([]);
      expect((await world().rest(a.user).get(`${app}/${a.user}/conversations`)).body.result).toMatchObject([
        { conversWith: c.user, last_message_text: "fence" },
      ]);
    });
  });

  describe("a subscription to topics of others is refused, and closes the connection where the broker judges", () => {
    it.each(foreignFilters)("%s", async (_what, filter) => {
      const [a, b, c] = await world().people("a", "b", "c");

      await a.subscribe(filter(a.user, b.user)).catch(() => {});
      if (world().topology.publishesAreJudgedBy === "policy") await stillTalks(a, b);
      else await a.closed;

      await stillTalks(b, c);
      expect(a.untaken((frame) => frame.payload.text === "fence" && frame.payload.sender !== a.user)).toEqual(
        [],
      );
    });
  });

  describe("nobody gets in", () => {
    const badTokens: readonly (readonly [what: string, token: (user: string) => string])[] = [
      ["with an expired token", (user) => world().token(user, { ttlSeconds: -60 })],
      ["with a token that says alg none", (user) => world().token(user, { algorithm: "none" })],
      ["with a token of somebody else's making", (user) => forge(world().token(user))],
      ["with a token whose claims were changed", (user) => rename(world().token("other"), user)],
      ["without a token", () => ""],
      ["with something that is no token", () => "a.b.c"],
    ];

    it.each(badTokens)("%s", async (_what, token) => {
      const [a, b] = await world().people("a", "b");
      const intruder = world().newUser("intruder");

      await expect(world().connect(intruder, { token: token(intruder) })).rejects.toThrow();
      const answer = await fetch(`${world().topology.apiUrl}/${app}/${intruder}/conversations`, {
        headers: { authorization: token(intruder) },
      });

      expect(answer.status).toBe(403);
      await stillTalks(a, b);
    });

    it("into another app than the token's", async () => {
      const user = world().newUser("a");
      const token = world().token(user, { app: "other" });

      await expect(world().connect(user, { token })).rejects.toThrow();
      const answer = await world().rest(user, { app: "other" }).get(`${app}/${user}/conversations`);

      expect(answer.status).toBe(401);
    });

    it("with a will that speaks for somebody else", async () => {
      const [a, b] = await world().people("a", "b");
      const user = world().newUser("c");
      const will = {
        topic: outgoing(a.user, b.user),
        payload: Buffer.from('{"text":"forged"}'),
        qos: 1 as const,
        retain: false,
      };

      const client = await world()
        .connect(user, { will })
        .catch(() => null);
      await client?.cut();
      await stillTalks(a, b);

      expect(b.untaken((frame) => frame.payload.text === "forged")).toEqual([]);
    });
  });
}

const outgoing = (me: string, recipient: string) =>
  `apps/${app}/outgoing/users/${me}/messages/${recipient}/outgoing`;

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

/** P1 payloads that are refused: the client gets a PUBACK and a typed answer. */
const refusedMessages: readonly (readonly [what: string, payload: unknown, code: string])[] = [
  ["broken JSON", '{"text":', "bad_request"],
  ["nothing", "", "bad_request"],
  ["a JSON string", '"hi"', "bad_request"],
  ["a JSON number", "42", "bad_request"],
  ["null", "null", "bad_request"],
  ["an array", '[{"text":"hi"}]', "bad_request"],
  ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), "bad_request"],
  ["an inline group without members", { text: "hi", group: {} }, "bad_request"],
  ["a client_message_id outside the alphabet", { text: "hi", client_message_id: "a/b" }, "bad_request"],
  ["nesting deeper than 32 levels", nested(40), "bad_request"],
  ["more than 100 KiB", { text: "x".repeat(limits.payloadBytes) }, "payload_too_large"],
];

/** Invalid recipients: these names have a meaning in MQTT, AMQP or RabbitMQ. */
const badIds = [
  "a.b",
  "a*b",
  "a%2eb",
  "a#b",
  "a+b",
  "a/b",
  "$a",
  "a b",
  "a\u0001b",
  "ä",
  "x".repeat(129),
  "",
];

/** Topics on which no client may publish, although they lie within the scopes of its token. */
const uselessTopics: readonly (readonly [what: string, topic: (me: string, other: string) => string])[] = [
  ["one's own inbox", (me) => `apps/${app}/users/${me}/messages/x/clientadded`],
  ["one's own copy of an internal topic", (me) => `apps/${app}/users/${me}/x/groups/update`],
  ["a topic nobody knows", (me) => `apps/${app}/users/${me}/messages/x/shrug`],
  ...badIds.map(
    (id) => [`to a recipient called ${JSON.stringify(id)}`, (me: string) => outgoing(me, id)] as const,
  ),
];

/** Topics of others. */
const foreignTopics: readonly (readonly [what: string, topic: (me: string, other: string) => string])[] = [
  ["another user's outgoing topic", (_, other) => outgoing(other, other)],
  ["another user's inbox", (_, other) => `apps/${app}/users/${other}/messages/x/clientadded`],
  ["an internal topic", () => `apps/observer/${app}/groups/update`],
  ["another user's presence", (_, other) => `apps/${app}/users/${other}/presence/x`],
  ["another app", (me, other) => `apps/other/outgoing/users/${me}/messages/${other}/outgoing`],
  ["the broker's own topics", () => "$SYS/broker/uptime"],
  ["something else altogether", () => "hello"],
];

const foreignFilters: readonly (readonly [what: string, filter: (me: string, other: string) => string])[] = [
  ["everything", () => "#"],
  ["everybody", () => `apps/${app}/users/#`],
  ["everybody's messages", () => `apps/${app}/users/+/messages/#`],
  ["another user", (_, other) => `apps/${app}/users/${other}/#`],
  ["users whose id begins alike", (me) => `apps/${app}/users/${me}x/#`],
  ["what others send", () => `apps/${app}/outgoing/#`],
  ["another app", (me) => `apps/other/users/${me}/#`],
  ["the broker's own topics", () => "$SYS/#"],
];

/** Replaces the signature of a token by one of another secret. */
function forge(token: string): string {
  const [header, claims, signature = ""] = token.split(".");
  return [header, claims, Buffer.from(signature, "base64url").reverse().toString("base64url")].join(".");
}

/** Puts another user into the claims of a token and keeps its signature. */
function rename(token: string, user: string): string {
  const [header, claims = "", signature] = token.split(".");
  const changed = { ...JSON.parse(Buffer.from(claims, "base64url").toString()), sub: user };
  return [header, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
}
