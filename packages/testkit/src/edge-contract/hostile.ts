import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ann,
  carriers,
  connectPacket,
  deliveryOf,
  type EdgeWorld,
  pingreq,
  publishPacket,
  subscribePacket,
} from "./edge-world.ts";
import { encode, type RawConnection } from "./raw-connection.ts";

/** Contract for clients that break the protocol. */
export function describeHostileClients(world: () => EdgeWorld): void {
  const expectUnharmed = async (neighbour: RawConnection) => {
    world().edge.deliver([deliveryOf("still here", { user: "neighbour" })]);
    expect(await neighbour.next()).toMatchObject({ cmd: "publish", payload: Buffer.from("still here") });
  };

  describe.each(carriers)("a hostile client over %s", (carrier) => {
    it.each(Object.entries(afterConnect))("is closed for %s, and nobody else notices", async (_, bytes) => {
      const neighbour = await world().listen({ carrier, user: "neighbour" });
      const connection = await world().join({ carrier });
      connection.sendBytes(bytes);

      await connection.closed;
      expect(world().handler.closed.map(({ user }) => user)).toEqual([ann]);
      expect(world().handler.publishes).toEqual([]);
      await expectUnharmed(neighbour);
    });

    it.each(Object.entries(beforeConnect))("is closed for %s in place of CONNECT", async (_, bytes) => {
      const connection = await world().raw(carrier);
      connection.sendBytes(bytes);

      await connection.closed;
      expect(world().handler.calls).toEqual([]);
    });

    it("is closed for announcing a packet of 200 MB, before it has sent it", async () => {
      const neighbour = await world().listen({ carrier, user: "neighbour" });
      const connection = await world().join({ carrier });
      connection.sendBytes(Buffer.from([0x32, 0x80, 0xc2, 0xd7, 0x2f]));

      await connection.closed;
      await expectUnharmed(neighbour);
    });

    it("does no harm with any bytes at all", async () => {
      const neighbour = await world().listen({ carrier, user: "neighbour" });
      const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(bytes, fc.boolean(), async (garbage, connected) => {
          const connection = connected
            ? await world().join({ carrier, clientId: "fuzz" })
            : await world().raw(carrier);
          connection.sendBytes(garbage);
          connection.end();
          await connection.closed;
        }),
        { numRuns: 150 },
      );

      await expectUnharmed(neighbour);
    }, 30_000);

    it("does no harm with packets that are cut, lengthened or altered in a byte", async () => {
      const neighbour = await world().listen({ carrier, user: "neighbour" });
      const packets = [
        connectPacket(),
        publishPacket(),
        publishPacket({ qos: 2 }),
        subscribePacket("a/b"),
        { cmd: "unsubscribe" as const, messageId: 1, unsubscriptions: ["a/b"] },
      ].map((packet) => encode(packet));
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...packets), fc.nat(), fc.nat(255), async (packet, place, value) => {
          const altered = Buffer.from(packet);
          altered[place % altered.length] = value;
          const connection = await (packet === packets[0]
            ? world().raw(carrier)
            : world().join({ carrier, clientId: "fuzz" }));
          connection.sendBytes(altered.subarray(0, 1 + ((place * 7) % (altered.length * 2))));
          connection.end();
          await connection.closed;
        }),
        { numRuns: 150 },
      );

      await expectUnharmed(neighbour);
    }, 30_000);

    it("does no harm by connecting and dropping a thousand times", async () => {
      const neighbour = await world().listen({ carrier, user: "neighbour" });
      const { handler } = world();
      for (let round = 0; round < 20; round++) {
        const connections = await Promise.all(Array.from({ length: 50 }, () => world().raw(carrier)));
        connections.forEach((connection, index) => {
          if (index % 2 === 0) connection.send(connectPacket({ clientId: `drop-${index}` }));
          connection.destroy();
        });
        await Promise.all(connections.map(({ closed }) => closed));
      }

      await handler.until(() => handler.closed.length === handler.opened.length - 1);
      await expectUnharmed(neighbour);
    }, 30_000);
  });
}

const publishBytes = (topic: Buffer, flags = 2) =>
  Buffer.concat([Buffer.from([0x30 | flags, topic.length + 4, 0, topic.length]), topic, Buffer.from([0, 1])]);

/** A CONNECT of version 4 with any flags. */
function connectBytes(flags: number, ...fields: readonly string[]): Buffer {
  const texts = ["c", ...fields].map((text) => Buffer.from([0, text.length, ...Buffer.from(text)]));
  const body = Buffer.concat([Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, 0]), ...texts]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}

const afterConnect: Readonly<Record<string, Buffer>> = {
  "a second CONNECT": encode(connectPacket()),
  "a packet of type 0": Buffer.from([0x00, 0]),
  "a packet of type 15": Buffer.from([0xf0, 0]),
  "a packet that only servers send": Buffer.from([0x20, 2, 0, 0]),
  "a length of more than four bytes": Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]),
  "wrong flags on SUBSCRIBE": Buffer.from([0x80, 6, 0, 1, 0, 1, 0x61, 0]),
  "SUBSCRIBE without filters": Buffer.from([0x82, 2, 0, 1]),
  "SUBSCRIBE cut off": Buffer.from([0x82, 4, 0, 1, 0, 9]),
  "PUBLISH with QoS 3": publishBytes(Buffer.from("a"), 6),
  "PUBLISH without a topic": publishBytes(Buffer.alloc(0)),
  "PUBLISH with a wildcard": publishBytes(Buffer.from("a/#")),
  "PUBLISH with U+0000": publishBytes(Buffer.from("a\0b")),
  "PUBLISH with a topic that is not UTF-8": publishBytes(Buffer.from([0x61, 0xc3, 0x28])),
  "PUBLISH whose topic is longer than the packet": Buffer.from([0x32, 4, 0, 9, 0x61, 0x62]),
  "PUBLISH with identifier 0": Buffer.from([0x32, 5, 0, 1, 0x61, 0, 0]),
  "PUBACK without identifier": Buffer.from([0x40, 0]),
  "PUBLISH of QoS 0 with DUP [MQTT-3.3.1-2]": Buffer.from([0x38, 3, 0, 1, 0x61]),
  "PUBACK with a body": Buffer.from([0x40, 3, 0, 1, 0]),
  "PINGREQ with a body": Buffer.from([0xc0, 1, 0]),
  "DISCONNECT with a body": Buffer.from([0xe0, 1, 0]),
  "SUBSCRIBE with identifier 0 [MQTT-2.3.1-1]": Buffer.from([0x82, 6, 0, 0, 0, 1, 0x61, 0]),
  "SUBSCRIBE with QoS 3 [MQTT-3-8.3-4]": Buffer.from([0x82, 6, 0, 1, 0, 1, 0x61, 3]),
  "UNSUBSCRIBE without filters [MQTT-3.10.3-2]": Buffer.from([0xa2, 2, 0, 1]),
  "UNSUBSCRIBE with wrong flags [MQTT-3.10.1-1]": Buffer.from([0xa0, 5, 0, 1, 0, 1, 0x61]),
  "UNSUBSCRIBE with a filter that is not UTF-8 [MQTT-3.10.3-1]": Buffer.from([
    ...[0xa2, 7, 0, 1, 0, 3, 0x61, 0xc3, 0x28],
  ]),
  "PUBREL with wrong flags [MQTT-3.6.1-1]": Buffer.from([0x60, 2, 0, 1]),
  "PUBACK with wrong flags [MQTT-2.2.2-2]": Buffer.from([0x42, 2, 0, 1]),
  "PINGREQ with wrong flags [MQTT-2.2.2-2]": Buffer.from([0xc1, 0]),
  "DISCONNECT with wrong flags [MQTT-3.14.1-1]": Buffer.from([0xe1, 0]),
  "a filter with U+0000": Buffer.from([0x82, 8, 0, 1, 0, 3, 0x61, 0, 0x62, 0]),
  "a filter that is not UTF-8": Buffer.from([0x82, 8, 0, 1, 0, 3, 0x61, 0xc3, 0x28, 0]),
};

const beforeConnect: Readonly<Record<string, Buffer>> = {
  PUBLISH: encode(publishPacket()),
  SUBSCRIBE: encode(subscribePacket("a")),
  PINGREQ: encode(pingreq),
  DISCONNECT: Buffer.from([0xe0, 0]),
  "an HTTP request": Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  "a CONNECT of an unknown protocol": Buffer.from([0x10, 12, 0, 4, 0x4e, 0x4f, 0x50, 0x45, 4, 2, 0, 0, 0, 0]),
  "a CONNECT with its reserved flag [MQTT-3.1.2-3]": connectBytes(0x03),
  "a CONNECT with QoS of a will, but no will [MQTT-3.1.2-13]": connectBytes(0x0a),
  "a CONNECT with a will of QoS 3 [MQTT-3.1.2-14]": connectBytes(0x1e, "t", "w"),
  "a CONNECT with a password, but no user name [MQTT-3.1.2-22]": connectBytes(0x42, "secret"),
  "a CONNECT with RETAIN of a will, but no will [MQTT-3.1.2-15]": connectBytes(0x22),
  "a CONNECT without the will that it announces [MQTT-3.1.2-9]": connectBytes(0x06),
  "a CONNECT with a topic of a will, but no message [MQTT-3.1.2-9]": connectBytes(0x06, "t"),
  "a CONNECT with a will without a topic [MQTT-4.7.3-1]": connectBytes(0x06, "", "w"),
  "a CONNECT with U+0000 in the topic of its will [MQTT-3.1.3-10]": connectBytes(0x06, "t\0", "w"),
  "a CONNECT without the user name that it announces [MQTT-3.1.2-19]": connectBytes(0x82),
  "a CONNECT with U+0000 in its user name [MQTT-3.1.3-11]": connectBytes(0x82, "a\0"),
  "a CONNECT without the password that it announces [MQTT-3.1.2-21]": connectBytes(0xc2, "ann"),
  "a CONNECT with a password that it does not announce [MQTT-3.1.2-20]": connectBytes(0x82, "ann", "secret"),
  "a CONNECT with a user name that it does not announce [MQTT-3.1.2-18]": connectBytes(0x02, "ann"),
  "a CONNECT cut short": Buffer.from([0x10, 4, 0, 4, 0x4d, 0x51]),
};
