import { topics } from "@chat21/protocol";
import type { IPublishPacket } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { ann, carriers, deliveryOf, type EdgeWorld, pingreq, subscribePacket } from "./edge-world.ts";
import { testApp } from "./scripted-handler.ts";

/** Contract of `deliver`: the PUBLISH packets that clients get. */
export function describeDelivering(world: () => EdgeWorld): void {
  describe.each(carriers)("delivering over %s", (carrier) => {
    it("sends the very text, unretained and for the first time", async () => {
      const connection = await world().listen({ carrier });
      const payload = '{"text":"grüße \\u0000 🙂","n":1}';
      world().edge.deliver([deliveryOf(payload)]);

      const packet = (await connection.next()) as IPublishPacket;
      expect(packet).toMatchObject({
        cmd: "publish",
        topic: topics.messageAdded(testApp, ann, "bob"),
        retain: false,
        dup: false,
        qos: 1,
      });
      expect(packet.payload.toString()).toBe(payload);
    });

    it.each([
      [0, 0, 0],
      [0, 1, 0],
      [1, 0, 0],
      [1, 1, 1],
    ] as const)("delivers QoS %i to a subscription with QoS %i as QoS %i", async (qos, granted, expected) => {
      const connection = await world().listen({ carrier, qos: granted });
      world().edge.deliver([deliveryOf("1", { qos })]);

      expect(await connection.next()).toMatchObject({ cmd: "publish", qos: expected });
    });

    it("keeps the order of deliveries on every connection, across calls", async () => {
      const first = await world().listen({ carrier, clientId: "ann-1" });
      const second = await world().listen({ carrier, clientId: "ann-2", qos: 0 });
      const numbers = Array.from({ length: 500 }, (_, index) => index);
      for (let from = 0; from < numbers.length; from += 50) {
        world().edge.deliver(numbers.slice(from, from + 50).map((number) => deliveryOf(String(number))));
        await new Promise((resolve) => setImmediate(resolve));
      }

      for (const connection of [first, second]) {
        const arrived: number[] = [];
        for (const _ of numbers)
          arrived.push(Number(((await connection.next()) as IPublishPacket).payload.toString()));
        expect(arrived).toEqual(numbers);
      }
    });

    it("reaches every connection of the user, and nobody else", async () => {
      const phone = await world().listen({ carrier, clientId: "phone" });
      const laptop = await world().listen({ carrier, clientId: "laptop" });
      const bob = await world().listen({ carrier, user: "bob" });
      const elsewhere = await world().listen({ carrier, app: "app2" });
      // Even a filter that the handler has allowed does not reach another user's deliveries.
      bob.send(subscribePacket(topics.inbox(testApp, ann)));
      await bob.next();

      world().edge.deliver([deliveryOf("1")]);

      for (const connection of [phone, laptop])
        expect(await connection.next()).toMatchObject({ cmd: "publish" });
      for (const connection of [bob, elsewhere]) {
        connection.send(pingreq);
        expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
      }
    });

    it("sends nothing on topics that the connection did not subscribe to", async () => {
      const connection = await world().join({ carrier });
      connection.send(subscribePacket("apps/app/users/ann/+/bob/clientadded"));
      await connection.next();

      world().edge.deliver([
        deliveryOf("1", { topic: "apps/app/users/ann/ephemeral" }),
        deliveryOf("2", { topic: "apps/app/users/ann/messages/bob/m/clientupdated" }),
        deliveryOf("3"),
      ]);

      expect(String(((await connection.next()) as IPublishPacket).payload)).toBe("3");
    });

    it("sends one copy when several filters match, with the highest QoS granted", async () => {
      const connection = await world().listen({ carrier, qos: 0 });
      connection.send(subscribePacket("apps/app/users/ann/messages/+/clientadded", 1));
      await connection.next();

      world().edge.deliver([deliveryOf("1"), deliveryOf("2")]);

      expect(await connection.next()).toMatchObject({ qos: 1, payload: Buffer.from("1") });
      expect(await connection.next()).toMatchObject({ qos: 1, payload: Buffer.from("2") });
    });

    it("gives deliveries that are not acknowledged different identifiers", async () => {
      const connection = await world().listen({ carrier });
      const count = 2_000;
      world().edge.deliver(Array.from({ length: count }, (_, index) => deliveryOf(String(index))));

      const ids = new Set<unknown>();
      for (let i = 0; i < count; i++) ids.add(((await connection.next()) as IPublishPacket).messageId);
      expect(ids.size).toBe(count);
      expect(ids).not.toContain(0);
    });

    it("makes more deliveries than there are identifiers when they are acknowledged", async () => {
      const connection = await world().listen({ carrier });
      const batch = 1_000;
      for (let sent = 0; sent < 70_000; sent += batch) {
        world().edge.deliver(Array.from({ length: batch }, () => deliveryOf("1")));
        for (let i = 0; i < batch; i++) {
          const { messageId = 0 } = (await connection.next()) as IPublishPacket;
          connection.send({ cmd: "puback", messageId });
        }
      }

      connection.send(pingreq);
      expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
    }, 30_000);

    it("sends the same text to many, small and large", async () => {
      const users = ["ann", "bob", "cas"];
      const connections = await Promise.all(users.map((user) => world().listen({ carrier, user })));
      const texts = ["small", "y".repeat(60_000), "after"];
      world().edge.deliver(texts.flatMap((payload) => users.map((user) => deliveryOf(payload, { user }))));

      for (const connection of connections) {
        for (const text of texts)
          expect(String(((await connection.next()) as IPublishPacket).payload)).toBe(text);
      }
    });

    it("sends the acknowledgement of a publish after all deliveries made before it resolved", async () => {
      const connection = await world().listen({ carrier });
      world().handler.onPublish = async () => world().edge.deliver([deliveryOf("copy")]);
      connection.send({
        cmd: "publish",
        topic: "t",
        payload: "1",
        qos: 1,
        messageId: 5,
        dup: false,
        retain: false,
      });

      expect(await connection.next()).toMatchObject({ cmd: "publish" });
      expect(await connection.next()).toMatchObject({ cmd: "puback", messageId: 5 });
    });
  });

  it("does nothing for a user who has no connection", () => {
    expect(() => world().edge.deliver([deliveryOf("1", { user: "nobody" })])).not.toThrow();
    expect(() => world().edge.deliver([])).not.toThrow();
  });

  it("closes a connection that does not read, and keeps delivering to the others", async () => {
    const reader = await world().listen({ clientId: "reader" });
    const stuck = await world().listen({ clientId: "stuck" });
    stuck.stopReading();
    const payload = "z".repeat(64 * 1_024);
    const mostBytes = 64 * 1_024 * 1_024;

    let sentBytes = 0;
    while (world().handler.closed.length === 0 && sentBytes < mostBytes) {
      world().edge.deliver([deliveryOf(payload)]);
      const packet = (await reader.next()) as IPublishPacket;
      reader.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
      sentBytes += payload.length;
    }

    expect(world().handler.closed.map(({ clientId }) => clientId)).toEqual(["stuck"]);
    world().edge.deliver([deliveryOf("last")]);
    expect(String(((await reader.next()) as IPublishPacket).payload)).toBe("last");
  }, 30_000);
}
