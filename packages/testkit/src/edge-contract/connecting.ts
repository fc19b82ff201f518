import { ChatError, type ErrorCode, topics } from "@chat21/protocol";
import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import { ann, carriers, connectPacket, type EdgeWorld, pingreq } from "./edge-world.ts";
import { passwordOf } from "./scripted-handler.ts";

const refusals: readonly (readonly [ErrorCode, number])[] = [
  ["bad_request", 2],
  ["invalid_id", 2],
  ["unauthorized", 4],
  ["token_expired", 4],
  ["token_revoked", 4],
  ["forbidden", 5],
  ["shutting_down", 3],
  ["store_unavailable", 3],
];

/** Contract of CONNECT: the attempt that the handler gets, and the answer that the client gets. */
export function describeConnecting(world: () => EdgeWorld): void {
  describe("connecting", () => {
    it.each(["tcp", "ws"])("serves MQTT.js as existing clients set it up, over %s", async (carrier) => {
      const { tcpPort, wsUrl } = world().opened;
      const client = await mqtt.connectAsync(carrier === "tcp" ? `mqtt://127.0.0.1:${tcpPort}` : wsUrl, {
        clientId: "js",
        username: "JWT",
        password: passwordOf(ann),
        keepalive: 10,
        reconnectPeriod: 0,
        will: { topic: "apps/app/users/ann/presence/js", payload: Buffer.from("{}"), qos: 1, retain: true },
      });
      await client.subscribeAsync("apps/app/users/ann/#", { qos: 0 });
      const arrived = new Promise<string>((resolve) => {
        client.on("message", (topic, payload) => resolve(`${topic} ${payload}`));
      });

      world().handler.onPublish = async ({ payload }) => {
        world().edge.deliver([{ app: "app", user: ann, topic: "apps/app/users/ann/x", payload, qos: 1 }]);
      };
      await client.publishAsync("apps/app/outgoing/users/ann/messages/bob/outgoing", "héllo", { qos: 1 });

      expect(await arrived).toBe("apps/app/users/ann/x héllo");
      await client.endAsync();
      await world().handler.until(() => world().handler.closed.length === 1);
    });
  });

  describe.each(carriers)("connecting over %s", (carrier) => {
    it("hands the whole CONNECT to the handler", async () => {
      const connection = await world().raw(carrier);
      connection.send(
        connectPacket({
          clientId: "device-7",
          will: {
            topic: "apps/app/users/ann/presence/device-7",
            payload: Buffer.from("{}"),
            qos: 1,
            retain: true,
          },
        }),
      );
      await connection.next();

      expect(world().handler.attempts).toHaveLength(1);
      const [attempt] = world().handler.attempts;
      expect(attempt).toMatchObject({ clientId: "device-7", username: "JWT", password: passwordOf(ann) });
      expect(attempt?.address).toMatch(/127\.0\.0\.1$/);
      expect(attempt?.will?.topic).toBe("apps/app/users/ann/presence/device-7");
      expect(Buffer.from(attempt?.will?.payload ?? []).toString()).toBe("{}");
    });

    it("leaves fields that the CONNECT does not have out of the attempt", async () => {
      world().handler.onAuthenticate = () => {
        throw new ChatError("unauthorized");
      };
      const connection = await world().raw(carrier);
      connection.send({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clientId: "c",
        clean: true,
        keepalive: 0,
      });
      await connection.next();

      expect(world().handler.attempts[0]).toMatchObject({
        username: undefined,
        password: undefined,
        will: undefined,
      });
    });

    it.each(refusals)(
      "answers a client that is refused as %s with CONNACK %i and closes",
      async (code, returnCode) => {
        world().handler.onAuthenticate = () => {
          throw new ChatError(code);
        };
        const connection = await world().raw(carrier);
        connection.send(connectPacket());

        expect(await connection.next()).toMatchObject({ cmd: "connack", returnCode, sessionPresent: false });
        await connection.closed;
        expect(world().handler.calls).toEqual([]);
        expect(world().edge.reaches("app", ann)).toBe(false);
      },
    );

    it("refuses a client whose admission was withdrawn before CONNACK", async () => {
      world().handler.onOpening = () => false;
      const connection = await world().raw(carrier);
      connection.send(connectPacket());

      expect(await connection.next()).toMatchObject({ cmd: "connack", returnCode: 4, sessionPresent: false });
      await connection.closed;
      expect(world().handler.calls).toEqual([]);
      expect(world().edge.reaches("app", ann)).toBe(false);
    });

    it("opens the session with the handler's answer, once CONNACK is sent", async () => {
      const session = {
        app: "other",
        user: "zoe",
        clientId: "z",
        admin: true,
        issuedAt: 1,
        expiresAt: 2,
        tokenId: "t",
      };
      world().handler.onAuthenticate = () => session;
      const connection = await world().raw(carrier);
      connection.send(connectPacket());

      expect(await connection.next()).toMatchObject({ cmd: "connack", returnCode: 0 });
      await world().handler.until(() => world().handler.opened.length === 1);
      expect(world().handler.opened).toEqual([session]);
      expect(world().edge.reaches("other", "zoe")).toBe(true);
      expect(world().edge.reaches("app", ann)).toBe(false);
    });

    it("never reports a stored session, even for clean:false", async () => {
      const first = await world().raw(carrier);
      first.send(connectPacket({ clean: false }), {
        cmd: "subscribe",
        messageId: 1,
        subscriptions: [{ topic: "a/#", qos: 1 }],
      });
      expect(await first.next()).toMatchObject({ cmd: "connack", sessionPresent: false });
      await first.next();
      first.send({ cmd: "disconnect" });
      await first.closed;

      const second = await world().raw(carrier);
      second.send(connectPacket({ clean: false }));

      expect(await second.next()).toMatchObject({ cmd: "connack", returnCode: 0, sessionPresent: false });
      world().edge.deliver([{ app: "app", user: ann, topic: "a/b", payload: "{}", qos: 1 }]);
      second.send(pingreq);
      expect(await second.next()).toMatchObject({ cmd: "pingresp" });
    });

    it("takes packets sent after CONNECT without waiting for CONNACK, in their order", async () => {
      const connection = await world().raw(carrier);
      connection.send(
        connectPacket(),
        { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a/#", qos: 0 }] },
        { cmd: "publish", topic: "b/c", payload: "{}", qos: 1, messageId: 2, dup: false, retain: false },
        pingreq,
      );

      const answers = [
        await connection.next(),
        await connection.next(),
        await connection.next(),
        await connection.next(),
      ];
      expect(answers.map(({ cmd }) => cmd).sort()).toEqual(["connack", "pingresp", "puback", "suback"]);
      expect(answers[0]?.cmd).toBe("connack");
      expect(world().handler.calls).toEqual(["open ann ann-1", "subscribe ann a/#", "publish ann b/c"]);
    });

    it("makes a client id for a client without one that has a clean session [MQTT-3.1.3-6]", async () => {
      for (let i = 0; i < 2; i++) await world().join({ carrier, clientId: "" });

      await world().handler.until(() => world().handler.opened.length === 2);
      const [first = "", second = ""] = world().handler.opened.map(({ clientId }) => clientId);
      expect(first).toMatch(/^auto-/);
      expect(second).not.toBe(first);
      expect(world().handler.closed).toEqual([]);
    });

    it("refuses an empty client id without a clean session by CONNACK 2 [MQTT-3.1.3-8]", async () => {
      const connection = await world().raw(carrier);
      connection.sendBytes(Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 0, 0, 0]));

      expect(await connection.next()).toMatchObject({ cmd: "connack", returnCode: 2 });
      await connection.closed;
      expect(world().handler.attempts).toEqual([]);
    });

    it("closes the older connection of the same user with the same client id", async () => {
      const first = await world().join({ carrier });
      const second = await world().join({ carrier });

      await first.closed;
      await world().handler.until(() => world().handler.opened.length === 2);
      expect(world().handler.closed).toHaveLength(1);
      second.send(pingreq);
      expect(await second.next()).toMatchObject({ cmd: "pingresp" });
      expect(world().edge.reaches("app", ann)).toBe(true);
    });

    it("tells the older connection why it is closed, where it is subscribed, and nobody else", async () => {
      const first = await world().listen({ carrier, clientId: "phone" });
      const other = await world().listen({ carrier, clientId: "desk" });
      const second = await world().listen({ carrier, clientId: "phone" });

      expect(await first.next()).toMatchObject({
        cmd: "publish",
        topic: topics.answer("app", ann, "phone"),
        qos: 0,
        payload: Buffer.from('{"code":"taken_over","message":"Another connection uses this client id"}'),
      });
      await first.closed;
      for (const connection of [second, other]) {
        connection.send(pingreq);
        expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
      }
    });

    it("leaves another user's and another app's connection with the same client id alone", async () => {
      const first = await world().join({ carrier, clientId: "same" });
      const second = await world().join({ carrier, clientId: "same", user: "bob" });
      const third = await world().join({ carrier, clientId: "same", app: "app2" });

      for (const connection of [first, second, third]) {
        connection.send(pingreq);
        expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
      }
      expect(world().handler.closed).toEqual([]);
    });
  });

  describe("over WebSocket", () => {
    it("negotiates the sub-protocol mqtt", async () => {
      expect((await world().raw("ws", ["other", "mqtt"])).subProtocol).toBe("mqtt");
    });

    it("refuses the upgrade when no sub-protocol of MQTT is offered", async () => {
      await expect(world().raw("ws", ["chat"])).rejects.toThrow();
      await expect(world().raw("ws", [])).rejects.toThrow();
    });

    it("takes packets that are cut anywhere, and several in one message", async () => {
      const connection = await world().join({ carrier: "ws" });
      for (const byte of Buffer.from([0xc0, 0, 0xc0, 0])) connection.sendBytes(Buffer.from([byte]));
      connection.sendBytes(Buffer.from([0xc0, 0, 0xc0, 0]));

      for (let i = 0; i < 4; i++) expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
    });
  });
}
