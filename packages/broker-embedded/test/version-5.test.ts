import { readFileSync } from "node:fs";
import { ChatError, topics } from "@chat21/protocol";
import { connectPacket, deliveryOf, encodePackets5, pingreq, type RawConnection } from "@chat21/testkit";
import mqtt from "mqtt";
import type { IConnackPacket, IConnectPacket, IPublishPacket, Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { reasonsOfErrors } from "../src/codec/reason-codes.ts";
import type { EdgeLimits } from "../src/index.ts";
import { type StartedEdge, startEdge } from "./start-edge.ts";

/** Opens a connection of version 5 and waits for its CONNACK. */
async function join5({ world }: StartedEdge, options: Parameters<typeof connectPacket>[0] = {}) {
  const connection = await world.raw(options.carrier);
  connection.send(connectPacket({ protocolVersion: 5, ...options }));
  const connack = (await connection.next()) as IConnackPacket;
  return { connection, connack };
}

const inbox = topics.inbox("app", "ann");
const outgoing = topics.outgoing("app", "ann", "bob");

const publish5 = (more: Partial<IPublishPacket> = {}): IPublishPacket => ({
  ...{ cmd: "publish", topic: outgoing, payload: "{}", qos: 1, messageId: 1, dup: false, retain: false },
  ...more,
});

const subscribe5 = (topic: string, more: object = {}): Packet => ({
  cmd: "subscribe",
  messageId: 1,
  subscriptions: [{ topic, qos: 1, ...more }],
});

/** The DISCONNECT that comes next, and the end of the connection. */
async function farewell(connection: RawConnection) {
  const packet = await connection.next();
  await connection.closed;
  return packet;
}

describe.each(["tcp", "ws"] as const)("CONNECT of MQTT 5 over %s", (carrier) => {
  it("is answered with what the server can do, and with no session", async () => {
    const { connection, connack } = await join5(await startEdge(), {
      ...{ carrier, clean: false, keepAlive: 30, properties: { sessionExpiryInterval: 3_600 } },
    });

    expect(connack).toMatchObject({ cmd: "connack", reasonCode: 0, sessionPresent: false });
    expect(connack.properties).toEqual({
      sessionExpiryInterval: 0,
      receiveMaximum: 1_024,
      retainAvailable: false,
      maximumPacketSize: 104_448,
      topicAliasMaximum: 16,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
    });
    connection.send(pingreq);
    expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
  });

  it("gets a client id and a keep-alive where it has none [MQTT5-3.1.3-7]", async () => {
    const started = await startEdge();
    const { connack } = await join5(started, { carrier, clientId: "" });

    expect(connack.properties?.serverKeepAlive).toBe(1_200);
    expect(connack.properties?.assignedClientIdentifier).toMatch(/^auto-/);
    await started.world.handler.until(() => started.world.handler.opened.length === 1);
    expect(started.world.handler.opened[0]?.clientId).toBe(connack.properties?.assignedClientIdentifier);
  });

  it.each([
    ["invalid_id", 0x85, "so it is"],
    ["unauthorized", 0x86, "so it is"],
    ["token_expired", 0x86, "so it is"],
    ["forbidden", 0x87, "so it is"],
    ["store_unavailable", 0x88, "so it is"],
    ["internal", 0x80, "The server failed"],
  ] as const)(
    "is refused as %s with its reason code, our code and a text",
    async (code, reasonCode, text) => {
      const started = await startEdge();
      started.world.handler.onAuthenticate = () => {
        throw new ChatError(code, "so it is", { retryAfterMs: 250 });
      };
      const { connection, connack } = await join5(started, { carrier });

      expect(connack).toMatchObject({ reasonCode, sessionPresent: false });
      expect(connack.properties?.reasonString).toBe(text);
      expect({ ...connack.properties?.userProperties }).toEqual({ code, retry_after_ms: "250" });
      await connection.closed;
    },
  );
});

describe("a CONNECT of MQTT 5", () => {
  const refused: Readonly<Record<string, [Partial<IConnectPacket>, number]>> = {
    "a retained will [MQTT5-3.2.2-13]": [
      { will: { topic: "a", payload: Buffer.from("b"), qos: 0, retain: true } },
      0x9a,
    ],
    "another authentication method": [{ properties: { authenticationMethod: "SCRAM-SHA-1" } }, 0x8c],
    "too many user properties": [
      { properties: { userProperties: { many: Array.from({ length: 65 }, () => "x") } } },
      0x97,
    ],
  };

  it.each(Object.entries(refused))("is refused for %s", async (_, [packet, reasonCode]) => {
    const started = await startEdge();
    const { connection, connack } = await join5(started, packet);

    expect(connack.reasonCode).toBe(reasonCode);
    await connection.closed;
    expect(started.world.handler.attempts).toEqual([]);
  });

  const malformed: Readonly<Record<string, [number[], number]>> = {
    "a property that does not belong there": [[2, 0x24, 1], 0x81],
    "a property twice": [[10, 0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1], 0x82],
    "a receive maximum of 0": [[3, 0x21, 0, 0], 0x82],
    "a maximum packet size of 0": [[5, 0x27, 0, 0, 0, 0], 0x82],
    "properties that are cut off": [[9, 0x11], 0x81],
    "a user property that is not UTF-8 [MQTT5-1.5.4-1]": [[7, 0x26, 0, 1, 0xc3, 0, 1, 0x28], 0x81],
    "authentication data without a method": [[4, 0x16, 0, 1, 0x61], 0x82],
  };

  it.each(Object.entries(malformed))("is refused for %s", async (_, [properties, reasonCode]) => {
    const { world } = await startEdge();
    const connection = await world.raw();
    const rest = [0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0, ...properties, 0, 1, 0x61];
    connection.sendBytes(Buffer.from([0x10, rest.length, ...rest]));
    const connack = await connection.next();

    expect(connack).toMatchObject({ cmd: "connack", returnCode: reasonCode });
    await connection.closed;
  });

  it("may have a password without a user name, and no client id although it wants its old session", async () => {
    const { world } = await startEdge();
    const connection = await world.raw();
    const password = [...Buffer.from("app/ann")];
    const rest = [0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 0x40, 0, 0, 0, 0, 0, 0, password.length, ...password];
    connection.sendBytes(Buffer.from([0x10, rest.length, ...rest]));

    expect(await connection.next()).toMatchObject({ cmd: "connack", returnCode: 0, sessionPresent: false });
  });

  it("is told in its own size, or not at all [MQTT5-3.1.2-24]", async () => {
    const { connection, connack } = await join5(await startEdge(), { properties: { maximumPacketSize: 10 } });

    expect(connack.reasonCode).toBe(0x85);
    expect(connack.properties ?? {}).toEqual({});
    await connection.closed;
  });
});

describe("publishing with MQTT 5", () => {
  it("is acknowledged as in version 3, byte for byte, when all is well", async () => {
    const started = await startEdge();
    const { connection } = await join5(started);
    connection.send(publish5({ properties: { userProperties: { a: "b" }, contentType: "json" } }));

    expect(await connection.next()).toMatchObject({ cmd: "puback", messageId: 1, length: 2 });
    expect(started.world.handler.publishes[0]).toMatchObject({ topic: outgoing, payload: "{}" });
  });

  it("takes topic aliases, each for its own connection [MQTT5-3.3.2-7]", async () => {
    const started = await startEdge();
    const first = await join5(started, { clientId: "1" });
    const second = await join5(started, { clientId: "2" });
    for (const [{ connection }, topic] of [
      [first, "a/1"],
      [second, "a/2"],
    ] as const) {
      connection.send(publish5({ topic, properties: { topicAlias: 16 } }));
      await connection.next();
    }
    for (const { connection } of [first, second]) {
      connection.send(publish5({ topic: "", properties: { topicAlias: 16 } }));
      await connection.next();
    }

    expect(started.world.handler.publishes.map(({ topic }) => topic)).toEqual(["a/1", "a/2", "a/1", "a/2"]);
  });

  it.each([1, 2] as const)("says with QoS %i why a publish was refused", async (qos) => {
    const started = await startEdge();
    started.world.handler.onRefuse = () => new ChatError("rate_limited", "slow down", { retryAfterMs: 9 });
    const { connection } = await join5(started);
    connection.send(publish5({ qos }));
    const answer = await connection.next();

    expect(answer).toMatchObject({ cmd: qos === 1 ? "puback" : "pubrec", messageId: 1, reasonCode: 0x97 });
    expect(answer).toMatchObject({ properties: { reasonString: "slow down" } });
    // A PUBREC that refuses frees the identifier, so the next publish is a new one.
    connection.send(publish5({ qos }));
    await connection.next();
    expect(started.world.handler.publishes).toHaveLength(2);
  });

  it("says it by the code alone where the client wants no more [MQTT5-3.1.2-29]", async () => {
    const started = await startEdge();
    started.world.handler.onRefuse = () => new ChatError("forbidden", "no");
    const { connection } = await join5(started, { properties: { requestProblemInformation: false } });
    connection.send(publish5());

    expect(await connection.next()).toMatchObject({ cmd: "puback", reasonCode: 0x87, length: 3 });
  });

  it("tells nothing of a fault of the server but that there was one", async () => {
    const started = await startEdge();
    started.world.handler.onRefuse = () => ChatError.fromUnknown(new Error("no column named body"));
    const { connection } = await join5(started);
    connection.send(publish5());

    expect(await connection.next()).toMatchObject({
      ...{ cmd: "puback", reasonCode: 0x80 },
      properties: { reasonString: "The server failed" },
    });
  });

  it.each([
    [new ChatError("forbidden", "the topic is another's"), 0x87, "forbidden", "the topic is another's"],
    [new ChatError("shutting_down"), 0x8b, "shutting_down", "The server is stopping"],
    [new Error("no column named body"), 0x80, "internal", "The server failed"],
  ])("ends with the reason that is true: %s", async (thrown, reasonCode, code, reasonString) => {
    const started = await startEdge();
    started.world.handler.onPublish = () => Promise.reject(thrown);
    const { connection } = await join5(started);
    connection.send(publish5());

    expect(await farewell(connection)).toMatchObject({
      ...{ cmd: "disconnect", reasonCode },
      properties: { reasonString, userProperties: { code } },
    });
  });

  it("completes an unknown identifier of QoS 2 with 0x92", async () => {
    const { connection } = await join5(await startEdge());
    connection.send({ cmd: "pubrel", messageId: 7 });

    expect(await connection.next()).toMatchObject({ cmd: "pubcomp", messageId: 7, reasonCode: 0x92 });
  });
});

describe("flow control of MQTT 5", () => {
  it("closes a client that has more publishes unacknowledged than CONNACK allows [MQTT5-3.3.4-7]", async () => {
    const started = await startEdge({ maxUnacknowledgedPublishes: 2 });
    started.world.handler.onPublish = () => new Promise(() => {});
    const { connection, connack } = await join5(started);
    connection.send(publish5({ messageId: 1 }), publish5({ messageId: 2 }), publish5({ messageId: 3 }));

    expect(connack.properties?.receiveMaximum).toBe(2);
    expect(await farewell(connection)).toMatchObject({ cmd: "disconnect", reasonCode: 0x93 });
    expect(started.world.handler.publishes).toHaveLength(2);
  });

  it("lets a client that does not keep it wait while its publishes are not in flight", async () => {
    const started = await startEdge({ maxInFlightPublishes: 2, maxUnacknowledgedPublishes: 3 });
    const { world } = started;
    const settle: (() => void)[] = [];
    world.handler.onPublish = () => new Promise((resolve) => void settle.push(resolve));
    const { connection } = await join5(started);
    connection.send(...[1, 2, 3, 4, 5].map((messageId) => publish5({ messageId })));
    for (let done = 0; done < 5; done++) {
      await world.handler.until(() => settle.length > done);
      settle[done]?.();
      expect(await connection.next()).toMatchObject({ cmd: "puback", messageId: done + 1 });
    }
  });

  it("keeps deliveries back, in order, until the client has acknowledged earlier ones [MQTT5-3.3.4-9]", async () => {
    const started = await startEdge();
    const { connection } = await join5(started, { properties: { receiveMaximum: 2 } });
    connection.send(subscribe5(inbox));
    await connection.next();
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`);
    started.edge.deliver(texts.map((text, index) => deliveryOf(text, { qos: index % 10 === 9 ? 0 : 1 })));
    connection.send(pingreq);

    const got: string[] = [];
    const next = async () => (await connection.next()) as IPublishPacket;
    const [first, second] = [await next(), await next()];
    got.push(`${first.payload}`, `${second.payload}`);
    expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
    for (const { messageId } of [first, second])
      connection.send({ cmd: "puback", messageId: messageId ?? 0 });
    while (got.length < texts.length) {
      const { payload, qos, messageId } = await next();
      got.push(`${payload}`);
      if (qos === 1) connection.send({ cmd: "puback", messageId: messageId ?? 0 });
    }
    expect(got).toEqual(texts);
  });

  it("bounds what it keeps back, and says so", async () => {
    const started = await startEdge({ maxUnacknowledgedDeliveries: 5 });
    const { connection } = await join5(started, { properties: { receiveMaximum: 1 } });
    connection.send(subscribe5(inbox));
    await connection.next();
    started.edge.deliver(Array.from({ length: 6 }, (_, index) => deliveryOf(`${index}`)));
    expect(await farewell(connection)).toMatchObject({ cmd: "disconnect", reasonCode: 0x97 });
    expect(started.counts.get("sessions_closed slow_consumer")).toBe(1);
  });

  it("sends no packet above the client's size, and the next one that fits [MQTT5-3.1.2-25]", async () => {
    const started = await startEdge();
    const { connection } = await join5(started, { properties: { maximumPacketSize: 200 } });
    connection.send(subscribe5(inbox));
    await connection.next();
    const fits = deliveryOf("fits");
    const room = 200 - (encodePackets5(publish5({ topic: fits.topic, payload: "" })).length + 1);
    started.edge.deliver([deliveryOf("x".repeat(room + 1)), deliveryOf("y".repeat(room)), fits]);

    expect(await connection.next()).toMatchObject({ payload: Buffer.from("y".repeat(room)) });
    expect(await connection.next()).toMatchObject({ payload: Buffer.from("fits") });
  });
});

describe("subscribing with MQTT 5", () => {
  it("answers each filter with a reason of its own", async () => {
    const started = await startEdge({ maxTopicLevels: 5, maxSubscriptions: 2 });
    started.world.handler.onSubscribe = (filter) => filter !== "b";
    const { connection } = await join5(started);
    const filters = ["a", "b", "1/2/3/4/5/6", "c", "d"];
    connection.send({
      cmd: "subscribe",
      messageId: 9,
      subscriptions: filters.map((topic) => ({ topic, qos: 1, nl: true, rap: true, rh: 2 })),
    });
    expect(await connection.next()).toMatchObject({ cmd: "suback", granted: [1, 0x87, 0x8f, 1, 0x97] });

    connection.send({ cmd: "unsubscribe", messageId: 10, unsubscriptions: ["a", "b"] });
    expect(await connection.next()).toMatchObject({ cmd: "unsuback", messageId: 10, granted: [0, 0x11] });
  });
});

it("a filter is not called somebody else's when the server failed to look at it", async () => {
  const started = await startEdge();
  started.world.handler.onSubscribe = () => {
    throw new Error("no column named body");
  };
  const { connection } = await join5(started);
  connection.send(subscribe5(inbox));

  expect(await connection.next()).toMatchObject({ cmd: "suback", granted: [0x80] });
  expect(started.counts.get("refused internal")).toBe(1);
});

describe("a client of MQTT 5 that breaks the protocol", () => {
  const bytes = (...all: number[]) => Buffer.from(all);
  const violations: Readonly<Record<string, [Packet | Buffer, number]>> = {
    "a retained publish [MQTT5-3.2.2-14]": [publish5({ retain: true }), 0x9a],
    "a subscription identifier": [
      { ...(subscribe5(inbox) as object), properties: { subscriptionIdentifier: 1 } } as Packet,
      0xa1,
    ],
    "a shared subscription": [subscribe5("$share/g/a"), 0x9e],
    "an alias beyond the maximum [MQTT5-3.3.2-9]": [publish5({ properties: { topicAlias: 17 } }), 0x94],
    "an alias of 0 [MQTT5-3.3.2-8]": [bytes(0x32, 9, 0, 1, 0x61, 0, 1, 3, 0x23, 0, 0), 0x94],
    "an alias without a topic": [publish5({ topic: "", properties: { topicAlias: 3 } }), 0x82],
    "neither topic nor alias": [bytes(0x32, 5, 0, 0, 0, 1, 0), 0x82],
    "a response topic with a wildcard [MQTT5-3.3.2-14]": [
      publish5({ properties: { responseTopic: "a/#" } }),
      0x82,
    ],
    "a packet above the maximum size [MQTT5-3.2.2-15]": [publish5({ payload: "x".repeat(104_448) }), 0x95],
    "AUTH without a method in CONNECT [MQTT5-4.12.0-7]": [bytes(0xf0, 2, 0x19, 0), 0x82],
    "a second CONNECT": [connectPacket({ protocolVersion: 5 }), 0x82],
    "reserved subscription options [MQTT5-3.8.3-5]": [bytes(0x82, 7, 0, 1, 0, 0, 1, 0x61, 0x40), 0x81],
    "retain handling 3": [bytes(0x82, 7, 0, 1, 0, 0, 1, 0x61, 0x30), 0x82],
    "QoS 3 of a filter": [bytes(0x82, 7, 0, 1, 0, 0, 1, 0x61, 3), 0x82],
    "PUBLISH with QoS 3": [bytes(0x36, 6, 0, 1, 0x61, 0, 1, 0), 0x81],
    "PUBLISH without its properties": [bytes(0x32, 5, 0, 1, 0x61, 0, 1), 0x81],
    "a topic with a wildcard": [publish5({ topic: "a/#" }), 0x81],
    "a DISCONNECT that prolongs the session": [
      { cmd: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 9 } },
      0x82,
    ],
    "wrong flags on AUTH [MQTT5-3.15.1-1]": [bytes(0xf1, 0), 0x82],
    "a length in more bytes than it needs [MQTT5-1.5.5-1]": [bytes(0x32, 7, 0, 1, 0x61, 0, 1, 0x80, 0), 0x81],
    "a content type that is not UTF-8 [MQTT5-1.5.4-1]": [
      bytes(0x32, 11, 0, 1, 0x61, 0, 1, 5, 3, 0, 2, 0xc3, 0x28),
      0x81,
    ],
    "a topic that is not UTF-8": [bytes(0x32, 7, 0, 2, 0xc3, 0x28, 0, 1, 0), 0x81],
    "a PUBACK longer than its fields": [bytes(0x40, 5, 0, 1, 0, 0, 0), 0x81],
    "a server's property in a PUBLISH [MQTT5-3.3.4-6]": [bytes(0x32, 8, 0, 1, 0x61, 0, 1, 2, 0x0b, 1), 0x81],
  };

  it.each(Object.entries(violations))("is told for %s, and closed", async (_, [packet, reasonCode]) => {
    const started = await startEdge();
    const { connection } = await join5(started);
    if (Buffer.isBuffer(packet)) connection.sendBytes(packet);
    else connection.sendBytes(encodePackets5(packet));

    expect(await farewell(connection)).toMatchObject({ cmd: "disconnect", reasonCode });
    expect(started.world.handler.publishes).toEqual([]);
  });
});

describe("the end of a session of MQTT 5", () => {
  const ends: readonly (readonly [string, number, (started: StartedEdge) => unknown])[] = [
    ["token_expired", 0x87, ({ edge }) => edge.disconnect({}, "expired")],
    ["token_revoked", 0x87, ({ edge }) => edge.disconnect({}, "revoked")],
    ["missed_deliveries", 0x83, ({ edge }) => edge.disconnect({}, "missed_deliveries")],
    ["shutting_down", 0x8b, ({ edge }) => edge.close(1_000)],
    ["taken_over", 0x8e, (started) => join5(started)],
    [
      "forbidden",
      0x87,
      async ({ world }) => {
        world.handler.onPublish = async () => {
          throw new ChatError("forbidden");
        };
      },
    ],
  ];

  it.each(ends)("is told as %s", async (code, reasonCode, end) => {
    const started = await startEdge();
    const { connection } = await join5(started);
    await started.world.handler.until(() => started.world.handler.opened.length === 1);
    await end(started);
    if (code === "forbidden") connection.send(publish5());
    const packet = await farewell(connection);

    expect(packet).toMatchObject({ cmd: "disconnect", reasonCode });
    expect({ ...(packet as IConnackPacket).properties?.userProperties }).toEqual({ code });
  });

  it("is told when the keep-alive is broken [MQTT5-3.1.2-22]", async () => {
    const { connection } = await join5(await startEdge(), { keepAlive: 1 });

    expect(await farewell(connection)).toMatchObject({ cmd: "disconnect", reasonCode: 0x8d });
  });

  it("is not told to one that left by itself", async () => {
    const { connection } = await join5(await startEdge());
    connection.send({ cmd: "disconnect", reasonCode: 4 });
    await connection.closed;

    expect(connection.received).toEqual([]);
  });
});

describe("renewing a token over MQTT 5", () => {
  const properties = { authenticationMethod: "chat21-token" } as const;
  const auth = (token: string): Packet => ({
    cmd: "auth",
    reasonCode: 0x19,
    properties: { ...properties, authenticationData: Buffer.from(token) },
  });

  it("keeps the connection, and its session has the rights of the new token", async () => {
    const started = await startEdge();
    const { world } = started;
    let issuedAt = 1;
    const { onAuthenticate } = world.handler;
    world.handler.onAuthenticate = async (attempt) => ({
      ...(await onAuthenticate(attempt)),
      ...{ issuedAt: issuedAt++, tokenId: `token-${issuedAt}` },
    });
    const { connection, connack } = await join5(started, { properties });
    expect(connack.properties?.authenticationMethod).toBe("chat21-token");
    await world.handler.until(() => world.handler.opened.length === 1);

    connection.send(auth("app/ann"));
    expect(await connection.next()).toMatchObject({ cmd: "auth", reasonCode: 0, properties });
    expect(started.edge.disconnect({ issuedBefore: 2 }, "revoked")).toBe(0);
    expect(world.handler.opened).toHaveLength(1);
    expect(started.edge.disconnect({ tokenId: "token-3" }, "revoked")).toBe(1);
  });

  it("takes the token of CONNECT from its authentication data", async () => {
    const started = await startEdge();
    const { connack } = await join5(started, {
      password: Buffer.from("not looked at"),
      properties: { ...properties, authenticationData: Buffer.from("app/zoe") },
    });

    expect(connack.reasonCode).toBe(0);
    expect(started.edge.reaches("app", "zoe")).toBe(true);
  });

  it.each(["app/bob", "nothing", ""])(
    "closes for the token %j of somebody else or of nobody",
    async (token) => {
      const started = await startEdge();
      const { connection } = await join5(started, { properties });
      connection.send(auth(token));

      expect(await farewell(connection)).toMatchObject({ cmd: "disconnect", reasonCode: 0x87 });
    },
  );

  it.each([
    [new ChatError("token_expired"), 0x87, "token_expired", "The token has expired"],
    [new ChatError("token_revoked"), 0x87, "token_revoked", "The token was revoked"],
    [new ChatError("unauthorized", "the signature is wrong"), 0x87, "unauthorized", "the signature is wrong"],
    [
      new ChatError("forbidden", "this app is not served here"),
      0x87,
      "forbidden",
      "this app is not served here",
    ],
    [new ChatError("store_unavailable"), 0x89, "store_unavailable", "The store does not answer"],
    [new ChatError("shutting_down"), 0x8b, "shutting_down", "The server is stopping"],
    [new Error("no column named body"), 0x80, "internal", "The server failed"],
  ])("closes with the reason that is true: %s", async (thrown, reasonCode, code, reasonString) => {
    const started = await startEdge();
    const { connection } = await join5(started, { properties });
    started.world.handler.onAuthenticate = () => Promise.reject(thrown);
    connection.send(auth("app/ann"));

    expect(await farewell(connection)).toMatchObject({
      ...{ cmd: "disconnect", reasonCode },
      properties: { reasonString, userProperties: { code } },
    });
    expect(started.counts.get(`connects_refused ${code}`)).toBe(1);
    expect(started.counts.get("sessions_closed auth_refused")).toBe(1);
  });

  it("is told to wait for one failed token too many of its address, never for a good one", async () => {
    const started = await startEdge({ maxAuthFailuresPerMinute: 1 });
    const { connection } = await join5(started, { properties });
    const guess = async (clientId: string) => {
      const joined = await join5(started, { clientId, properties });
      joined.connection.send(auth("nothing"));
      return farewell(joined.connection);
    };
    await guess("2");

    expect(await guess("3")).toMatchObject({ cmd: "disconnect", reasonCode: 0x9f });
    connection.send(auth("app/ann"));
    expect(await connection.next()).toMatchObject({ cmd: "auth", reasonCode: 0 });
  });

  it("closes for another method than that of CONNECT [MQTT5-4.12.1-1]", async () => {
    const { connection } = await join5(await startEdge(), { properties });
    connection.send({ cmd: "auth", reasonCode: 0x19, properties: { authenticationMethod: "other" } });

    expect(await farewell(connection)).toMatchObject({ cmd: "disconnect", reasonCode: 0x82 });
  });
});

describe("MQTT.js with version 5", () => {
  it.each(["tcp", "ws"] as const)("sends, gets and is told over %s", async (carrier) => {
    const started = await startEdge();
    const { tcpPort, wsUrl } = started.world.opened;
    const client = await mqtt.connectAsync(carrier === "tcp" ? `mqtt://127.0.0.1:${tcpPort}` : wsUrl, {
      ...{ protocolVersion: 5, clientId: "js", username: "JWT", password: "app/ann", reconnectPeriod: 0 },
      properties: { sessionExpiryInterval: 60, receiveMaximum: 10 },
      ...{ autoUseTopicAlias: true, autoAssignTopicAlias: true },
    });
    await client.subscribeAsync(inbox, { qos: 1 });
    const arrived: string[] = [];
    const done = new Promise<void>((resolve) => {
      client.on("message", (_topic, payload) => {
        if (arrived.push(`${payload}`) === 50) resolve();
      });
    });
    started.world.handler.onPublish = async ({ payload }) => {
      started.edge.deliver([deliveryOf(payload)]);
    };
    const texts = Array.from({ length: 50 }, (_, index) => `héllo ${index}`);
    await Promise.all(texts.map((text) => client.publishAsync(outgoing, text, { qos: 1 })));
    await done;
    expect(arrived).toEqual(texts);

    const told = new Promise((resolve) => client.once("disconnect", ({ reasonCode }) => resolve(reasonCode)));
    started.edge.disconnect({}, "revoked");
    expect(await told).toBe(0x87);
    await client.endAsync(true);
  });
});

it("docs/wire.md has the reason codes of the typed errors", () => {
  const page = readFileSync(new URL("../../../docs/wire.md", import.meta.url), "utf8");
  const [, table = ""] = /<!-- reasons -->([\s\S]*?)<!-- \/reasons -->/.exec(page) ?? [];
  const rows = [...table.matchAll(/^\| `(\w+)` \| (0x\w\w) \| (0x\w\w) \| (0x\w\w) \|$/gm)];
  const shown = rows.map(([, code = "", connack, puback, disconnect]) => [
    code,
    { connack: Number(connack), puback: Number(puback), disconnect: Number(disconnect) },
  ]);

  expect(Object.fromEntries(shown)).toEqual(reasonsOfErrors);
});

it.each([
  { maxTopicAliases: -1 },
  { maxUserProperties: 0 },
  { maxKeepAliveSeconds: 65_536 },
] satisfies Partial<EdgeLimits>[])("the limits %j are out of range", async (limits) => {
  await expect(startEdge(limits)).rejects.toMatchObject({ code: "bad_request" });
});
