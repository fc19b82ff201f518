import { once } from "node:events";
import { ChatError } from "@chat21/protocol";
import {
  connectPacket,
  deliveryOf,
  encodePackets,
  openWebSocket,
  pingreq,
  publishPacket,
  subscribePacket,
} from "@chat21/testkit";
import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createEmbeddedEdge, defaultEdgeLimits } from "../src/index.ts";
import { recordingLog, startEdge } from "./start-edge.ts";

describe("limits", () => {
  it("drop a PUBLISH that is too large, and refuse one byte more by its announced length", async () => {
    const packet = encodePackets(publishPacket({ payload: "x".repeat(200) }));
    const { world, counts } = await startEdge({
      maxPacketBytes: packet.length - 100,
      maxDroppedPacketBytes: packet.length,
    });
    const connection = await world.join();
    for (const byte of packet) connection.sendBytes(Buffer.from([byte]));
    expect(await connection.next()).toMatchObject({ cmd: "puback" });
    connection.sendBytes(Buffer.concat([packet, encodePackets(publishPacket({ payload: "next" }))]));
    for (let i = 0; i < 2; i++) expect(await connection.next()).toMatchObject({ cmd: "puback" });
    expect(world.handler.publishes.map(({ payload }) => payload.length)).toEqual([100, 100, 4]);

    const tooLarge = encodePackets(publishPacket({ payload: "x".repeat(201) }));
    connection.sendBytes(tooLarge.subarray(0, 3));

    await connection.closed;
    expect(counts.get("sessions_closed packet_too_large")).toBe(1);
  });

  it("let MQTT.js go on after a body of 110,000 bytes, on the same connection", async () => {
    const { world } = await startEdge();
    const { tcpPort } = world.opened;
    const options = { clientId: "js", username: "JWT", password: "app/ann", reconnectPeriod: 10 };
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${tcpPort}`, options);

    await client.publishAsync("a", "x".repeat(110_000), { qos: 1 });
    await client.publishAsync("b", "behind it", { qos: 1 });

    expect(world.handler.publishes.map(({ topic }) => topic)).toEqual(["a", "b"]);
    expect(world.handler.opened).toHaveLength(1);
    await client.endAsync();
  });

  it.each([
    ["length in bytes", { maxTopicBytes: 20 }, "ä".repeat(10), `${"ä".repeat(10)}a`],
    ["levels", { maxTopicLevels: 3 }, "a/b/#", "a/b/c/#"],
  ])("bound the %s of filters", async (_what, limits, fitting, tooMuch) => {
    const { world } = await startEdge(limits);
    const connection = await world.join();
    for (const [filter, code] of [
      [fitting, 1],
      [tooMuch, 0x80],
    ] as const) {
      connection.send(subscribePacket(filter));
      expect(await connection.next()).toMatchObject({ cmd: "suback", granted: [code] });
    }
  });

  it("hand over no more publishes of one connection at a time than they say, and read no further ahead", async () => {
    const { world } = await startEdge({ maxInFlightPublishes: 3, maxHeldBytes: 1_000 });
    const settle: (() => void)[] = [];
    world.handler.onPublish = () => new Promise((resolve) => void settle.push(resolve));
    const busy = await world.join({ clientId: "busy" });
    const other = await world.join({ clientId: "other" });
    const total = 2_000;
    const payload = "x".repeat(5_000);
    for (let messageId = 1; messageId <= total; messageId++) busy.send(publishPacket({ messageId, payload }));

    // A publish of another connection is handed over at once.
    other.send(publishPacket({ topic: "other" }));
    await world.handler.until(() => world.handler.publishes.some(({ topic }) => topic === "other"));
    expect(world.handler.publishes.filter(({ topic }) => topic !== "other")).toHaveLength(3);

    let most = 0;
    for (let done = 0; done < total + 1; done++) {
      await world.handler.until(() => settle.length > done);
      most = Math.max(most, settle.length - done);
      settle[done]?.();
    }
    for (let messageId = 1; messageId <= total; messageId++)
      expect(await busy.next()).toMatchObject({ messageId });
    expect(most).toBeLessThanOrEqual(4);
  }, 20_000);

  it("answer a ping that lies behind publishes which wait", async () => {
    const { world } = await startEdge({ maxInFlightPublishes: 1 });
    world.handler.onPublish = () => new Promise(() => {});
    const connection = await world.join();
    connection.send(publishPacket({ messageId: 1 }), publishPacket({ messageId: 2 }), pingreq);

    expect(await connection.next()).toMatchObject({ cmd: "pingresp" });
  });

  it("close a client that does not read at a fixed amount of output, and report it", async () => {
    const maxBufferedBytes = 256 * 1_024;
    const { world, counts, lines } = await startEdge({ maxBufferedBytes });
    const stuck = await world.listen({ clientId: "stuck", qos: 0 });
    stuck.stopReading();
    const payload = "x".repeat(10_000);
    let delivered = 0;
    while (world.handler.closed.length === 0) {
      world.edge.deliver([deliveryOf(payload)]);
      delivered += payload.length;
      await new Promise((resolve) => setImmediate(resolve));
    }

    // The kernel's two buffers of a loopback connection hold some megabytes.
    expect(delivered).toBeLessThan(16 * 1_024 * 1_024);
    expect(counts.get("sessions_closed slow_consumer")).toBe(1);
    expect(lines.at(-1)).toContain('"cause":"slow_consumer"');
    expect(lines.at(-1)).toContain('"clientId":"stuck"');
  }, 20_000);

  it("close a client that does not acknowledge", async () => {
    const { world, counts } = await startEdge({ maxUnacknowledgedDeliveries: 10 });
    const connection = await world.listen();
    world.edge.deliver(Array.from({ length: 10 }, () => deliveryOf("1")));
    for (let i = 0; i < 10; i++) expect(await connection.next()).toMatchObject({ cmd: "publish" });

    world.edge.deliver([deliveryOf("one too many")]);

    await connection.closed;
    expect(counts.get("sessions_closed slow_consumer")).toBe(1);
  });

  it("bound the filters of a connection, not how often it repeats one", async () => {
    const { world } = await startEdge({ maxSubscriptions: 2 });
    const connection = await world.join();
    for (const filter of ["a", "b", "a", "b"]) {
      connection.send(subscribePacket(filter));
      expect(await connection.next()).toMatchObject({ cmd: "suback" });
    }
    connection.send({ cmd: "unsubscribe", messageId: 1, unsubscriptions: ["a"] });
    expect(await connection.next()).toMatchObject({ cmd: "unsuback" });
    connection.send(subscribePacket("c"));
    expect(await connection.next()).toMatchObject({ cmd: "suback" });

    connection.send(subscribePacket("d"));

    expect(await connection.next()).toMatchObject({ cmd: "suback", granted: [0x80] });
  });

  it("bound the connections of the edge, and let in again when one has left", async () => {
    const { world } = await startEdge({ maxConnections: 2 });
    const first = await world.join({ clientId: "1" });
    await world.join({ clientId: "2", carrier: "ws" });

    const third = await world.raw();
    await third.closed;
    await expect(world.raw("ws")).rejects.toThrow("503");

    first.send({ cmd: "disconnect" });
    await first.closed;
    // The server frees the place when its own end of the transport is gone, a moment after ours.
    await expect.poll(() => world.join({ clientId: "3" })).toBeDefined();
  });

  it("bound the connections of an address, and leave room for others", async () => {
    let from = "192.0.2.1";
    const { world, edge } = await startEdge({ maxConnectionsPerAddress: 2 }, [
      { kind: "ws", host: "127.0.0.1", port: 0, addressOf: () => from },
    ]);
    const open = () => openWebSocket(edge.addresses[0]?.url ?? "");
    const join = async (clientId: string) => {
      const connection = await open();
      connection.send(connectPacket({ clientId }));
      return [connection, await connection.next()] as const;
    };
    const [first] = await join("1");
    await join("2");

    await (await open()).closed;
    from = "192.0.2.2";
    expect((await join("other"))[1]).toMatchObject({ cmd: "connack", returnCode: 0 });

    from = "192.0.2.1";
    first.send({ cmd: "disconnect" });
    await first.closed;
    await expect.poll(() => join("3").then(([, answer]) => answer)).toMatchObject({ returnCode: 0 });
    expect(world.handler.opened).toHaveLength(4);
  });

  it("bound the sessions of a user: the next one is refused, and the open ones stay", async () => {
    const { world, counts } = await startEdge({ maxSessionsPerUser: 2 });
    const tryAs = async (clientId: string, password = "app/ann") => {
      const connection = await world.raw();
      connection.send(connectPacket({ clientId, password: Buffer.from(password) }));
      return [connection, await connection.next()] as const;
    };
    const [first] = await tryAs("1");
    await tryAs("2");

    expect((await tryAs("3"))[1]).toMatchObject({ cmd: "connack", returnCode: 3 });
    expect((await tryAs("3", "app/bob"))[1]).toMatchObject({ returnCode: 0 });
    expect(counts.get("connects_refused rate_limited")).toBe(1);
    first.send(pingreq);
    expect(await first.next()).toMatchObject({ cmd: "pingresp" });

    // A client that comes back takes its own place; one that leaves makes room.
    expect((await tryAs("2"))[1]).toMatchObject({ returnCode: 0 });
    first.send({ cmd: "disconnect" });
    await first.closed;
    expect((await tryAs("3"))[1]).toMatchObject({ returnCode: 0 });
  });

  it("bound what all sessions of a user have under way, and hold back the rest, not others", async () => {
    const { world } = await startEdge({ maxInFlightPublishesPerUser: 3 });
    const held: (() => void)[] = [];
    world.handler.onPublish = () => new Promise<void>((resolve) => held.push(resolve));
    const [phone, laptop] = [await world.join({ clientId: "1" }), await world.join({ clientId: "2" })];
    const bob = await world.join({ clientId: "3", user: "bob" });
    for (const topic of ["a", "b"]) phone.send(publishPacket({ topic, messageId: 1 }));
    await world.handler.until(() => world.handler.publishes.length === 2);

    for (const topic of ["c", "d"]) laptop.send(publishPacket({ topic, messageId: 2 }));
    await world.handler.until(() => world.handler.publishes.length === 3);
    bob.send(publishPacket({ topic: "bob", messageId: 3 }));
    await world.handler.until(() => world.handler.publishes.length === 4);
    expect(world.handler.publishes.map(({ topic }) => topic)).toEqual(["a", "b", "c", "bob"]);

    held[0]?.();
    await world.handler.until(() => world.handler.publishes.length === 5);
    expect(world.handler.publishes.at(-1)?.topic).toBe("d");
    for (const settle of held) settle();
    expect(await laptop.next()).toMatchObject({ cmd: "puback" });
  });

  it.each(["maxBufferedBytesPerUser", "maxBufferedBytesOfAll"] as const)(
    "close the session with the most unread bytes when all together are beyond %s",
    async (limit) => {
      const { world, counts } = await startEdge({ [limit]: 512 * 1_024 });
      const reader = await world.listen({ clientId: "reader", qos: 0 });
      const stuck = await world.listen({ clientId: "stuck", qos: 0 });
      stuck.stopReading();
      const payload = "x".repeat(10_000);
      while (world.handler.closed.length === 0) {
        world.edge.deliver([deliveryOf(payload)]);
        await reader.next();
      }

      expect(world.handler.closed.map(({ clientId }) => clientId)).toEqual(["stuck"]);
      expect(counts.get("sessions_closed slow_consumer")).toBe(1);
    },
    20_000,
  );

  it.each(["tcp", "ws"] as const)("close a CONNECT that trickles in over %s", async (carrier) => {
    const { world, lines } = await startEdge({ connectTimeoutMs: 500 });
    const connection = await world.raw(carrier);
    const packet = encodePackets(connectPacket());
    let sent = 0;
    const trickle = setInterval(() => {
      if (sent < packet.length - 1) connection.sendBytes(packet.subarray(sent, ++sent));
    }, 50);

    await connection.closed;
    clearInterval(trickle);
    expect(lines.at(-1)).toContain("connect_timeout");
    expect(world.handler.attempts).toEqual([]);
  });

  it("close a connection that says nothing at all", async () => {
    const { world } = await startEdge({ connectTimeoutMs: 500 });
    const connection = await world.raw();

    await connection.closed;
  });

  it("cut off a WebSocket client that has vanished, whatever its keep-alive", async () => {
    const { world, edge } = await startEdge({ webSocketSilenceMs: 500 });
    const url = edge.addresses.find(({ kind }) => kind === "ws")?.url ?? "";
    const open = async (clientId: string, autoPong: boolean) => {
      const socket = new WebSocket(url, "mqtt", { autoPong });
      await once(socket, "open");
      socket.send(encodePackets(connectPacket({ clientId, keepalive: 0 })));
      return socket;
    };
    const quiet = await open("quiet", true);
    const vanished = await open("vanished", false);

    await once(vanished, "close");
    await world.handler.until(() => world.handler.closed.length === 1);
    expect(quiet.readyState).toBe(WebSocket.OPEN);
    quiet.terminate();
  });

  it("bound a WebSocket message", async () => {
    const { world } = await startEdge({ maxWebSocketMessageBytes: 1_000 });
    const connection = await world.join({ carrier: "ws" });
    connection.sendBytes(Buffer.alloc(1_001));

    await connection.closed;
    await world.handler.until(() => world.handler.closed.length === 1);
  });

  it("tell an address that has failed too often to wait, and admit its good tokens all the same", async () => {
    const { world, counts, lines } = await startEdge({ maxAuthFailuresPerMinute: 3 });
    const tryOnce = async (password: string) => {
      const connection = await world.raw();
      connection.send(connectPacket({ password: Buffer.from(password) }));
      return connection.next();
    };
    for (let i = 0; i < 3; i++) expect(await tryOnce("bad")).toMatchObject({ cmd: "connack", returnCode: 4 });

    expect(await tryOnce("bad")).toMatchObject({ cmd: "connack", returnCode: 3 });
    expect(await tryOnce("app/ann")).toMatchObject({ cmd: "connack", returnCode: 0 });

    expect(counts.get("connects_refused unauthorized")).toBe(3);
    expect(counts.get("connects_refused rate_limited")).toBe(1);
    expect(lines.filter((line) => line.startsWith("refused a CONNECT"))).toHaveLength(1);
  });

  it("count the addresses of one household together: those of an IPv6 network of 64 bits", async () => {
    let from = "";
    const { world, edge } = await startEdge({ maxAuthFailuresPerMinute: 1 }, [
      { kind: "ws", host: "127.0.0.1", port: 0, addressOf: () => from },
    ]);
    world.handler.onAuthenticate = () => {
      throw new ChatError("unauthorized");
    };
    const tryFrom = async (address: string) => {
      from = address;
      const connection = await openWebSocket(edge.addresses[0]?.url ?? "");
      connection.send(connectPacket());
      return ((await connection.next()) as { returnCode?: number }).returnCode;
    };

    expect(await tryFrom("2001:db8:1:2::1")).toBe(4);
    expect(await tryFrom("2001:db8:1:2:ffff::9")).toBe(3);
    expect(await tryFrom("2001:db8:1:3::1")).toBe(4);
    // An IPv4 client of a listener for both families stands alone.
    expect(await tryFrom("::ffff:192.0.2.1")).toBe(4);
    expect(await tryFrom("::ffff:192.0.2.2")).toBe(4);
    expect(await tryFrom("192.0.2.1")).toBe(3);
  });

  it("do not count a fault of the server as a failure of the address", async () => {
    const { world } = await startEdge({ maxAuthFailuresPerMinute: 1 });
    world.handler.onAuthenticate = () => {
      throw new ChatError("store_unavailable");
    };
    for (let i = 0; i < 3; i++) {
      const connection = await world.raw();
      connection.send(connectPacket());
      expect(await connection.next()).toMatchObject({ cmd: "connack", returnCode: 3 });
    }

    expect(world.handler.attempts).toHaveLength(3);
  });

  it.each([
    { maxPacketBytes: 0 },
    { maxBufferedBytes: 1.5 },
    { maxUnacknowledgedDeliveries: 65_536 },
    { maxTopicLevels: 101 },
    { connectTimeoutMs: Number.NaN },
    { maxAuthFailuresPerMinute: -1 },
  ])("are checked before anything is opened: %o", (limits) => {
    const create = () =>
      createEmbeddedEdge({
        listeners: [],
        limits,
        log: recordingLog([]),
        metrics: { count() {}, observe() {} },
      });

    expect(create).toThrow(new RegExp(`limits.${Object.keys(limits)[0]}: expected`));
  });

  it("have the documented defaults", () => {
    expect(defaultEdgeLimits).toMatchObject({ maxPacketBytes: 104_448, maxBufferedBytes: 1_048_576 });
    expect(Object.isFrozen(defaultEdgeLimits)).toBe(true);
  });
});
