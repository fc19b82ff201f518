import type { Session } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { ann, carriers, connectPacket, type EdgeWorld, pingreq, publishPacket } from "./edge-world.ts";
import type { RawConnection } from "./raw-connection.ts";

/** Contract of `handleClose`, for each way in which a connection ends. */
export function describeLeaving(world: () => EdgeWorld): void {
  describe.each(carriers)("leaving over %s", (carrier) => {
    it.each(Object.entries(waysToLeave))("is told once when a client leaves %s", async (_, leave) => {
      const { handler } = world();
      const will = { topic: "will", payload: Buffer.from("{}"), qos: 1, retain: true } as const;
      const connection = await world().raw(carrier);
      connection.send(connectPacket({ clientId: "leaver", will }));
      await connection.next();
      await handler.until(() => handler.opened.length === 1);
      const session = handler.opened[0] as Session;

      await leave(connection, world());

      await connection.closed;
      await handler.until(() => handler.closed.length > 0);
      await world().edge.close(1_000);
      expect(handler.closed.filter((closed) => closed === session)).toHaveLength(1);
      expect(handler.closed).toHaveLength(handler.opened.length);
      // The edge never publishes a will: the handler gets it with CONNECT.
      expect(handler.publishes).toEqual([]);
    });

    it("is told when a client is silent for one and a half times its keep-alive, not when it pings or publishes", async () => {
      const { handler } = world();
      const begin = performance.now();
      const silent = await world().join({ carrier, clientId: "silent", keepAlive: 1 });
      const pinging = await world().join({ carrier, clientId: "pinging", keepAlive: 1 });
      const publishing = await world().join({ carrier, clientId: "publishing", keepAlive: 1 });
      const timer = setInterval(() => {
        pinging.send(pingreq);
        publishing.send(publishPacket());
      }, 200);
      await silent.closed;
      clearInterval(timer);

      expect(performance.now() - begin).toBeGreaterThan(1_490);
      expect(handler.closed.map(({ clientId }) => clientId)).toEqual(["silent"]);
      for (const connection of [pinging, publishing]) {
        connection.send(publishPacket({ messageId: 999 }));
        let packet = await connection.next();
        while (packet.messageId !== 999) packet = await connection.next();
      }
    });

    it("stays reachable until the last connection of the user is gone", async () => {
      const first = await world().join({ carrier, clientId: "one" });
      const second = await world().join({ carrier, clientId: "two" });
      const { handler, edge } = world();
      await handler.until(() => handler.opened.length === 2);
      first.end();
      await handler.until(() => handler.closed.length === 1);
      expect(edge.reaches("app", ann)).toBe(true);
      second.end();
      await handler.until(() => handler.closed.length === 2);

      expect(edge.reaches("app", ann)).toBe(false);
    });

    it("hands over what was sent right before leaving", async () => {
      const connection = await world().join({ carrier });
      connection.send(publishPacket({ qos: 0, payload: "last words" }), { cmd: "disconnect" });
      connection.end();
      const { handler } = world();
      await handler.until(() => handler.closed.length === 1);

      expect(handler.calls.at(-2)).toMatch(/^publish ann/);
      expect(handler.calls.at(-1)).toMatch(/^close ann/);
    });
  });
}

type Leave = (connection: RawConnection, world: EdgeWorld) => unknown;

const waysToLeave: Readonly<Record<string, Leave>> = {
  "with DISCONNECT": (connection) => connection.send({ cmd: "disconnect" }),
  "by ending the transport": (connection) => connection.end(),
  "by cutting the transport": (connection) => connection.destroy(),
  "by breaking the protocol": (connection) => connection.sendBytes(Buffer.from([0xf0, 0])),
  "because the same client connects again": (_, world) => world.join({ clientId: "leaver" }),
  "because the server disconnects it": (_, world) => world.edge.disconnect({ clientId: "leaver" }, "revoked"),
  "because the edge closes": (_, world) => world.edge.close(1_000),
};
