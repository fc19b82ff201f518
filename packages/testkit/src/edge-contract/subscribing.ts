import { topics } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { ann, carriers, deliveryOf, type EdgeWorld, subscribePacket } from "./edge-world.ts";
import { testApp } from "./scripted-handler.ts";

const inbox = topics.inbox(testApp, ann);

/** Contract of SUBSCRIBE and UNSUBSCRIBE. */
export function describeSubscribing(world: () => EdgeWorld): void {
  describe.each(carriers)("subscribing over %s", (carrier) => {
    it("asks the handler about every filter", async () => {
      const connection = await world().join({ carrier });
      connection.send({
        cmd: "subscribe",
        messageId: 7,
        subscriptions: [
          { topic: inbox, qos: 0 },
          { topic: "a/+/b", qos: 1 },
        ],
      });

      expect(await connection.next()).toMatchObject({ cmd: "suback", messageId: 7, granted: [0, 1] });
      expect(world().handler.filters).toEqual([inbox, "a/+/b"]);
    });

    it("grants QoS 2 as 1", async () => {
      const connection = await world().join({ carrier });
      connection.send({
        cmd: "subscribe",
        messageId: 1,
        subscriptions: [
          { topic: "a", qos: 2 },
          { topic: "b", qos: 1 },
          { topic: "c", qos: 0 },
        ],
      });

      expect(await connection.next()).toMatchObject({ cmd: "suback", granted: [1, 1, 0] });
    });

    it("answers a filter that the handler refuses with 0x80, and grants the others", async () => {
      world().handler.onSubscribe = (filter) => !filter.includes("bob");
      const connection = await world().join({ carrier });
      connection.send({
        cmd: "subscribe",
        messageId: 3,
        subscriptions: [
          { topic: "apps/app/users/bob/#", qos: 1 },
          { topic: inbox, qos: 1 },
        ],
      });

      expect(await connection.next()).toMatchObject({ cmd: "suback", messageId: 3, granted: [0x80, 1] });
      world().edge.deliver([deliveryOf("1")]);
      expect(await connection.next()).toMatchObject({ cmd: "publish", payload: Buffer.from("1") });
    });

    it("answers each filter of a SUBSCRIBE, repeated ones included [MQTT-3.8.4-5]", async () => {
      const connection = await world().join({ carrier });
      const twice = [0, 1, 0x61, 1, 0, 1, 0x61, 0];
      connection.sendBytes(Buffer.from([0x82, 2 + twice.length, 0, 5, ...twice]));

      expect(await connection.next()).toMatchObject({ cmd: "suback", messageId: 5, granted: [1, 0] });
    });

    it.each(["a/#/b", "a#", "a+/b", ""])(
      "closes the connection of the malformed filter %o",
      async (filter) => {
        const connection = await world().join({ carrier });
        connection.send(subscribePacket(inbox));
        await connection.next();
        // mqtt-packet cannot encode an empty filter, so the bytes are written here.
        const bytes = Buffer.from(filter);
        connection.sendBytes(Buffer.from([0x82, bytes.length + 5, 0, 1, 0, bytes.length, ...bytes, 0]));

        await connection.closed;
        expect(world().handler.closed).toHaveLength(1);
      },
    );

    it("delivers nothing after UNSUBACK", async () => {
      const connection = await world().listen({ carrier });
      connection.send(subscribePacket("other/#"));
      await connection.next();
      connection.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions: [inbox] });
      expect(await connection.next()).toMatchObject({ cmd: "unsuback", messageId: 9 });

      world().edge.deliver([deliveryOf("1"), deliveryOf("2", { topic: "other/x" })]);

      expect(await connection.next()).toMatchObject({ cmd: "publish", topic: "other/x" });
    });

    it("takes a filter again with another QoS", async () => {
      const connection = await world().listen({ carrier, qos: 1 });
      connection.send(subscribePacket(inbox, 0, 2));
      expect(await connection.next()).toMatchObject({ cmd: "suback", granted: [0] });

      world().edge.deliver([deliveryOf("1")]);

      expect(await connection.next()).toMatchObject({ cmd: "publish", qos: 0 });
    });
  });
}
