import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import {
  connectPacket,
  encodePackets,
  keepAliveProbes,
  openTcp,
  openWebSocket,
  pingreq,
  ScriptedHandler,
  testCertificate,
} from "@chat21/testkit";
import mqtt from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createEmbeddedEdge } from "../src/index.ts";
import { recordingLog, startEdge } from "./start-edge.ts";

const host = "127.0.0.1";
const metrics = { count() {}, observe() {} };

async function listen(server: Server): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe("listeners", () => {
  it("name their addresses once they listen", async () => {
    const edge = createEmbeddedEdge({
      listeners: [
        { kind: "tcp", host, port: 0 },
        { kind: "ws", host, port: 0, path: "/mqtt" },
      ],
      log: recordingLog([]),
      metrics,
    });
    expect(edge.addresses).toEqual([]);
    await edge.start(new ScriptedHandler());
    onTestFinished(() => edge.close(100));

    const [tcp, ws] = edge.addresses;
    expect(tcp).toEqual({ kind: "tcp", host, port: tcp?.port, url: `mqtt://${host}:${tcp?.port}` });
    expect(ws).toEqual({ kind: "ws", host, port: ws?.port, url: `ws://${host}:${ws?.port}/mqtt` });
    expect(tcp?.port).toBeGreaterThan(0);
  });

  it.each(["tcp", "ws"] as const)(
    "reject a %s port in use with one line that says what to do, and open none",
    async (kind) => {
      const taken = createTcpServer();
      taken.listen(0, host);
      await once(taken, "listening");
      onTestFinished(() => void taken.close());
      const { port } = taken.address() as AddressInfo;
      const free = createServer();
      const freePort = await listen(free);
      free.close();
      await once(free, "close");
      const edge = createEmbeddedEdge({
        listeners: [
          { kind: "tcp", host, port: freePort },
          { kind, host, port },
        ],
        log: recordingLog([]),
        metrics,
      });

      await expect(edge.start(new ScriptedHandler())).rejects.toThrow(
        `port ${port} on ${host} is in use: stop the program that listens there, or choose another port`,
      );

      const again = createServer();
      again.listen(freePort, host);
      await once(again, "listening");
      again.close();
    },
  );

  it("reject an address of another machine", async () => {
    const edge = createEmbeddedEdge({
      listeners: [{ kind: "tcp", host: "192.0.2.1", port: 1_883 }],
      log: recordingLog([]),
      metrics,
    });

    await expect(edge.start(new ScriptedHandler())).rejects.toThrow(
      "port 1883 on 192.0.2.1 is not an address of this machine",
    );
  });

  it("are started once", async () => {
    const { edge } = await startEdge();

    await expect(edge.start(new ScriptedHandler())).rejects.toThrow("once");
  });

  it("share an HTTP server with its requests and with other WebSockets", async () => {
    const server = createServer((_, response) => response.end("a page"));
    const port = await listen(server);
    const others = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url === "/other")
        others.handleUpgrade(request, socket, head, (webSocket) => webSocket.send("other"));
    });
    const { world } = await startEdge({}, [{ kind: "http-server", server }]);

    const page = await fetch(`http://${host}:${port}/ws`);
    expect(await page.text()).toBe("a page");
    const other = new WebSocket(`ws://${host}:${port}/other`);
    const [message] = await once(other, "message");
    expect(String(message)).toBe("other");
    other.terminate();
    const chat = await openWebSocket(`ws://${host}:${port}/ws?from=page`);
    chat.send(connectPacket());
    expect(await chat.next()).toMatchObject({ cmd: "connack", returnCode: 0 });

    await world.edge.close(1_000);
    await chat.closed;
    expect(server.listening).toBe(true);
    expect(server.listenerCount("upgrade")).toBe(1);
  });

  it("answer requests other than MQTT on their own WebSocket port", async () => {
    const { edge, world } = await startEdge();
    const { port } = edge.addresses[1] as { port: number };

    expect((await fetch(`http://${host}:${port}/`)).status).toBe(426);
    for (const path of ["/", "/ws", "/mqtt"]) {
      const headers = {
        connection: "Upgrade, HTTP2-Settings",
        upgrade: "h2c",
        "http2-settings": "AAEAAEAAAAIAAAAB",
      };
      const [offer] = await once(httpRequest({ host, port, path, headers }).end(), "response");
      expect([offer.statusCode, offer.headers.upgrade]).toEqual([426, "websocket"]);
    }
    await expect(openWebSocket(`ws://${host}:${port}/elsewhere`)).rejects.toThrow("404");
    await expect(openWebSocket(world.opened.wsUrl, ["chat"])).rejects.toThrow("400");
  });

  it.runIf(process.platform === "linux")(
    "let the system ask silent peers if they are still there",
    async () => {
      const { edge, world } = await startEdge();
      await world.join();
      await world.join({ clientId: "second", carrier: "ws" });

      for (const { port } of edge.addresses) await expect.poll(() => keepAliveProbes(port)).toEqual([true]);
    },
  );

  it("close a WebSocket that sends text", async () => {
    const { world } = await startEdge();
    const webSocket = new WebSocket(world.opened.wsUrl, ["mqtt"]);
    await once(webSocket, "open");
    webSocket.send(encodePackets(connectPacket()));
    await once(webSocket, "message");
    webSocket.send("text");

    const [code] = await once(webSocket, "close");
    expect(code).toBe(1003);
    await world.handler.until(() => world.handler.closed.length === 1);
  });

  it("take the peer's address from `addressOf`", async () => {
    const listener = { kind: "ws", host, port: 0, addressOf: () => "203.0.113.7" } as const;
    const { world } = await startEdge({}, [listener]);
    await world.join({ carrier: "ws" });

    expect(world.handler.attempts[0]?.address).toBe("203.0.113.7");
  });

  it("speak TLS", async () => {
    const tls = testCertificate;
    const { edge, world } = await startEdge({}, [
      { kind: "tcp", host, port: 0, tls },
      { kind: "ws", host, port: 0, tls },
    ]);

    for (const [index, scheme] of ["mqtts", "wss"].entries()) {
      const { url } = edge.addresses[index] as { url: string };
      expect(url).toMatch(new RegExp(`^${scheme}://`));
      const client = await mqtt.connectAsync(url, {
        clientId: scheme,
        password: "app/ann",
        username: "JWT",
        ca: tls.cert,
      });
      await client.publishAsync("t", "over TLS", { qos: 1 });
      await client.endAsync();
    }
    expect(world.handler.publishes.map(({ payload }) => payload)).toEqual(["over TLS", "over TLS"]);
  });

  it("survive a client that speaks plain MQTT to TLS, and one that speaks TLS to plain MQTT", async () => {
    const { edge, world } = await startEdge({}, [
      { kind: "tcp", host, port: 0, tls: testCertificate },
      { kind: "ws", host, port: 0 },
      { kind: "tcp", host, port: 0 },
    ]);
    const plainToTls = await openTcp(edge.addresses[0]?.port ?? 0);
    plainToTls.send(connectPacket());
    const tlsToPlain = await openTcp(edge.addresses[2]?.port ?? 0);
    tlsToPlain.sendBytes(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]));
    await Promise.all([plainToTls.closed, tlsToPlain.closed]);

    const other = await world.join({ carrier: "ws" });
    other.send(pingreq);
    expect(await other.next()).toMatchObject({ cmd: "pingresp" });
  });
});
