import { ChatError, limits, topics } from "@chat21/protocol";
import type { Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { ann, carriers, type EdgeWorld, pingreq, publishPacket, subscribePacket } from "./edge-world.ts";
import { testApp } from "./scripted-handler.ts";

/** Contract of PUBLISH from clients. */
export function describePublishing(world: () => EdgeWorld): void {
  describe.each(carriers)("publishing over %s", (carrier) => {
    it("hands topic and payload to the handler unchanged", async () => {
      const connection = await world().join({ carrier });
      const topic = topics.outgoing(testApp, ann, "jörg");
      connection.send(publishPacket({ topic, payload: '{"text":"grüße \u0000 🙂"}' }));
      await connection.next();

      expect(world().handler.publishes).toMatchObject([
        { session: { user: ann }, topic, payload: '{"text":"grüße \u0000 🙂"}' },
      ]);
    });

    it("hands over QoS 0 too, and answers nothing", async () => {
      const connection = await world().join({ carrier });
      connection.send(publishPacket({ qos: 0, payload: "zero" }), pingreq);

      expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
      expect(world().handler.publishes.map(({ payload }) => payload)).toEqual(["zero"]);
    });

    it("acknowledges QoS 1 when the handler has resolved, and not before", async () => {
      const settled = Promise.withResolvers<void>();
      world().handler.onPublish = () => settled.promise;
      const connection = await world().join({ carrier });
      connection.send(publishPacket({ messageId: 77 }), pingreq);

      expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
      expect(world().handler.publishes).toHaveLength(1);
      settled.resolve();
      expect(await connection.next()).toMatchObject({ cmd: "puback", messageId: 77 });
    });

    it("acknowledges in the order of the publishes, even when they resolve in another order", async () => {
      const settle: (() => void)[] = [];
      world().handler.onPublish = () => new Promise((resolve) => void settle.push(resolve));
      const connection = await world().join({ carrier });
      connection.send(...[5, 3, 9].map((messageId) => publishPacket({ messageId })));
      await world().handler.until(() => settle.length === 3);
      settle[2]?.();
      settle[1]?.();
      connection.send(pingreq);
      expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
      settle[0]?.();

      for (const messageId of [5, 3, 9])
        expect(await connection.next()).toMatchObject({ cmd: "puback", messageId });
    });

    it("calls the handler in the order of one connection's packets", async () => {
      const connection = await world().join({ carrier });
      const expected = ["open ann ann-1"];
      for (let i = 0; i < 20; i++) {
        connection.send(
          publishPacket({ topic: `p/${i}`, messageId: i + 1 }),
          subscribePacket(`s/${i}`, 1, 100 + i),
        );
        expected.push(`publish ann p/${i}`, `subscribe ann s/${i}`);
      }
      connection.send({ cmd: "disconnect" });
      await connection.closed;

      expect(world().handler.calls).toEqual([...expected, "close ann ann-1"]);
    });

    it.each(["forbidden", "shutting_down"] as const)(
      "closes the connection of a publish that is rejected as %s, and acknowledges neither it nor later ones",
      async (code) => {
        world().handler.onPublish = async ({ topic }) => {
          if (topic === "foreign") throw new ChatError(code);
        };
        const connection = await world().join({ carrier });
        connection.send(publishPacket({ messageId: 1 }));
        expect(await connection.next()).toMatchObject({ cmd: "puback", messageId: 1 });
        connection.send(publishPacket({ messageId: 2, topic: "foreign" }));

        await expect(connection.next()).rejects.toThrow("closed");
        expect(world().handler.closed).toHaveLength(1);
      },
    );

    it("gives a QoS 2 publish the guarantee of QoS 1 and the handshake of QoS 2", async () => {
      const settled = Promise.withResolvers<void>();
      world().handler.onPublish = () => settled.promise;
      const connection = await world().join({ carrier });
      connection.send(publishPacket({ qos: 2, messageId: 21 }), pingreq);
      expect(await connection.next()).toMatchObject({ cmd: "pingresp" });

      settled.resolve();
      expect(await connection.next()).toMatchObject({ cmd: "pubrec", messageId: 21 });
      connection.send({ cmd: "pubrel", messageId: 21 });
      expect(await connection.next()).toMatchObject({ cmd: "pubcomp", messageId: 21 });
      expect(world().handler.publishes).toHaveLength(1);
    });

    it("takes a QoS 2 publish once until it is released, whatever comes again [MQTT-4.3.3-2]", async () => {
      const connection = await world().join({ carrier });
      const first = publishPacket({ qos: 2, messageId: 21, payload: '{"n":1}' });
      connection.send(first);
      expect(await connection.next()).toMatchObject({ cmd: "pubrec", messageId: 21 });

      connection.send({ ...first, dup: true } as Packet);
      expect(await connection.next()).toMatchObject({ cmd: "pubrec", messageId: 21 });
      connection.send({ cmd: "pubrel", messageId: 21 });
      expect(await connection.next()).toMatchObject({ cmd: "pubcomp", messageId: 21 });
      connection.send(publishPacket({ qos: 2, messageId: 21, payload: '{"n":2}' }));
      expect(await connection.next()).toMatchObject({ cmd: "pubrec", messageId: 21 });

      expect(world().handler.publishes.map(({ payload }) => payload)).toEqual(['{"n":1}', '{"n":2}']);
    });

    it("says which packet carried a publish, and whether the client sends it again", async () => {
      const connection = await world().join({ carrier });
      connection.send(
        publishPacket({ messageId: 5 }),
        { ...publishPacket({ messageId: 6 }), dup: true } as Packet,
        publishPacket({ qos: 0 }),
      );

      await world().handler.until(() => world().handler.publishes.length === 3);
      expect(world().handler.publishes.map(({ packet }) => packet)).toEqual([
        { id: 5, isDuplicate: false },
        { id: 6, isDuplicate: true },
        undefined,
      ]);
    });

    it("knows a packet that comes again without DUP when its acknowledgement may have been lost, and only then", async () => {
      const lost = await world().join({ carrier });
      const packet = publishPacket({ messageId: 5 });
      lost.send(packet);
      await world().handler.until(() => world().handler.publishes.length === 1);
      lost.destroy();
      await world().handler.until(() => world().handler.closed.length === 1);

      const polite = await world().join({ carrier });
      polite.send(packet);
      expect(await polite.next()).toMatchObject({ cmd: "puback" });
      // The identifier is free now.
      polite.send(packet, { cmd: "disconnect" });
      await polite.closed;
      const heard = await world().join({ carrier });
      heard.send(packet);
      expect(await heard.next()).toMatchObject({ cmd: "puback" });
      heard.send(pingreq);
      expect(await heard.next()).toMatchObject({ cmd: "pingresp" });
      heard.destroy();
      await world().handler.until(() => world().handler.closed.length === 3);
      const last = await world().join({ carrier });
      last.send(packet);
      expect(await last.next()).toMatchObject({ cmd: "puback" });

      const duplicates = world().handler.publishes.map((publish) => publish.packet?.isDuplicate);
      expect(duplicates).toEqual([false, true, false, false, false]);
    });

    it("retains nothing", async () => {
      const connection = await world().join({ carrier });
      const topic = "apps/app/users/ann/presence/ann-1";
      connection.send({
        cmd: "publish",
        topic,
        payload: "{}",
        qos: 1,
        messageId: 1,
        dup: false,
        retain: true,
      });
      expect(await connection.next()).toMatchObject({ cmd: "puback" });

      const later = await world().listen({ carrier, clientId: "ann-2" });
      later.send(pingreq);

      expect(await later.next()).toMatchObject({ cmd: "pingresp" });
      expect(world().handler.publishes).toHaveLength(1);
    });

    it("settles a thousand publishes sent without waiting, each once and in order", async () => {
      const connection = await world().join({ carrier });
      const numbers = Array.from({ length: 1_000 }, (_, index) => index + 1);
      connection.send(
        ...numbers.map((messageId) => publishPacket({ messageId, payload: String(messageId) })),
      );

      const acknowledged: unknown[] = [];
      for (const _ of numbers)
        acknowledged.push(((await connection.next()) as { messageId?: number }).messageId);
      expect(acknowledged).toEqual(numbers);
      expect(world().handler.publishes.map(({ payload }) => Number(payload))).toEqual(numbers);
    });

    it("takes a payload of the largest size that arrives in pieces", async () => {
      const connection = await world().join({ carrier });
      const payload = "x".repeat(limits.payloadBytes);
      connection.send(publishPacket({ payload }));

      expect(await connection.next()).toMatchObject({ cmd: "puback" });
      expect(world().handler.publishes[0]?.payload).toBe(payload);
    });
  });
}
