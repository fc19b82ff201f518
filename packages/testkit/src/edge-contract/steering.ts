import type { SessionSelector } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { ann, carriers, deliveryOf, type EdgeWorld, pingreq, publishPacket } from "./edge-world.ts";
import { defaultSession } from "./scripted-handler.ts";

/** Contract of `disconnect`, `setPaused` and `close`. */
export function describeSteering(world: () => EdgeWorld): void {
  describe.each(carriers)("disconnecting over %s", (carrier) => {
    it.each(selections)("closes %s and says how many", async (_, selector, expected) => {
      const { handler, edge } = world();
      handler.onAuthenticate = (attempt) => {
        const client = clients.find(({ clientId }) => clientId === attempt.clientId);
        return { ...defaultSession(attempt), ...client };
      };
      const connections = new Map<string, Awaited<ReturnType<EdgeWorld["join"]>>>();
      for (const { app, user, clientId } of clients) {
        connections.set(clientId, await world().join({ app, user, clientId, carrier }));
      }
      await handler.until(() => handler.opened.length === clients.length);

      expect(edge.disconnect(selector, "revoked")).toBe(expected.length);

      for (const clientId of expected) await connections.get(clientId)?.closed;
      expect(handler.closed.map(({ clientId }) => clientId).sort()).toEqual(expected);
      for (const { clientId } of clients) {
        if (expected.includes(clientId)) continue;
        connections.get(clientId)?.send(pingreq);
        expect(await connections.get(clientId)?.next()).toMatchObject({ cmd: "pingresp" });
      }
    });
  });

  describe.each(carriers)("pausing over %s", (carrier) => {
    it("hands over no publish while paused, and all of them in order afterwards", async () => {
      const { handler, edge } = world();
      const connection = await world().join({ carrier });
      edge.setPaused(true);
      connection.send(
        ...[1, 2, 3].map((messageId) => publishPacket({ messageId, payload: `${messageId}` })),
        pingreq,
      );

      expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
      expect(handler.publishes).toEqual([]);
      edge.setPaused(false);
      for (const messageId of [1, 2, 3])
        expect(await connection.next()).toMatchObject({ cmd: "puback", messageId });
      expect(handler.publishes.map(({ payload }) => payload)).toEqual(["1", "2", "3"]);
    });

    it("keeps the order of packets that wait behind a publish", async () => {
      const { handler, edge } = world();
      const connection = await world().join({ carrier });
      edge.setPaused(true);
      connection.send(publishPacket({ topic: "p" }), {
        cmd: "subscribe",
        messageId: 2,
        subscriptions: [{ topic: "s", qos: 0 }],
      });
      connection.send(pingreq);
      expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
      edge.setPaused(false);
      await connection.next();
      await connection.next();

      expect(handler.calls.slice(1)).toEqual(["publish ann p", "subscribe ann s"]);
    });

    it("still delivers and still lets clients in", async () => {
      world().edge.setPaused(true);
      const connection = await world().listen({ carrier });
      world().edge.deliver([deliveryOf("1")]);

      expect(await connection.next()).toMatchObject({ cmd: "publish" });
    });

    it("closes nobody for silence while paused", async () => {
      const { handler, edge } = world();
      const busy = await world().join({ carrier, clientId: "busy", keepAlive: 1 });
      edge.setPaused(true);
      // This is more than an edge reads ahead, so it cannot see the pings behind it.
      const payload = "x".repeat(60_000);
      for (let messageId = 1; messageId <= 300; messageId++) busy.send(publishPacket({ messageId, payload }));
      // The test proves that nothing happens, so there is no event to await.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(handler.closed).toEqual([]);
      edge.setPaused(false);

      for (let messageId = 1; messageId <= 300; messageId++) {
        expect(await busy.next()).toMatchObject({ cmd: "puback", messageId });
      }
    }, 20_000);

    it("takes the packets of a client that has left, after the pause", async () => {
      const { handler, edge } = world();
      const connection = await world().join({ carrier });
      edge.setPaused(true);
      connection.send(publishPacket({ qos: 0, payload: "held" }), pingreq);
      await connection.next();
      connection.send({ cmd: "disconnect" });
      connection.end();
      await connection.closed;
      expect(handler.calls).toEqual(["open ann ann-1"]);
      edge.setPaused(false);
      await handler.until(() => handler.closed.length === 1);

      expect(handler.publishes.map(({ payload }) => payload)).toEqual(["held"]);
    });
  });

  describe.each(carriers)("closing over %s", (carrier) => {
    it("lets outstanding acknowledgements go out, then closes", async () => {
      const { handler, edge } = world();
      const settled = Promise.withResolvers<void>();
      handler.onPublish = () => settled.promise;
      const connection = await world().join({ carrier });
      connection.send(publishPacket({ messageId: 3 }));
      await handler.until(() => handler.publishes.length === 1);

      const closed = edge.close(5_000);
      settled.resolve();

      expect(await connection.next()).toMatchObject({ cmd: "puback", messageId: 3 });
      await connection.closed;
      await closed;
      expect(handler.closed).toHaveLength(1);
    });

    it("cuts off unsettled connections when the given time is over", async () => {
      const { handler, edge } = world();
      handler.onPublish = () => new Promise(() => {});
      const connection = await world().join({ carrier });
      connection.send(publishPacket());
      await handler.until(() => handler.publishes.length === 1);
      const begin = performance.now();

      await edge.close(300);

      expect(performance.now() - begin).toBeLessThan(3_000);
      await connection.closed;
      expect(handler.closed).toHaveLength(1);
    });

    it("accepts no connection afterwards", async () => {
      await world().edge.close(100);

      await expect(world().join({ carrier })).rejects.toThrow();
      expect(world().edge.reaches("app", ann)).toBe(false);
    });
  });

  it("may be closed twice", async () => {
    const { edge } = world();
    await Promise.all([edge.close(100), edge.close(100)]);
    await edge.close(100);

    expect(edge.disconnect({}, "revoked")).toBe(0);
  });
}

const selections: readonly (readonly [string, SessionSelector, readonly string[]])[] = [
  ["everybody", {}, ["a1", "a2", "b1", "z1"]],
  ["an app", { app: "app" }, ["a1", "a2", "b1"]],
  ["a user", { app: "app", user: "ann" }, ["a1", "a2"]],
  ["a client", { app: "app", user: "ann", clientId: "a2" }, ["a2"]],
  ["a token", { tokenId: "token-of-b1" }, ["b1"]],
  ["tokens issued before a moment", { app: "app", issuedBefore: 2_000 }, ["a1"]],
  ["tokens that have expired", { expiredAt: 30_000 }, ["a1", "a2", "b1"]],
  ["all given fields", { app: "app", user: "ann", tokenId: "token-of-b1" }, []],
  ["somebody who is not here", { app: "app", user: "nobody" }, []],
];

const clients = [
  { app: "app", user: "ann", clientId: "a1", issuedAt: 1_000, expiresAt: 10_000 },
  { app: "app", user: "ann", clientId: "a2", issuedAt: 2_000, expiresAt: 20_000 },
  { app: "app", user: "bob", clientId: "b1", issuedAt: 3_000, expiresAt: 30_000 },
  { app: "zoo", user: "zoe", clientId: "z1", issuedAt: 4_000, expiresAt: 40_000 },
] as const;
