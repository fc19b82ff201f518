import { once } from "node:events";
import { request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { keepAliveProbes } from "@chat21/testkit";
import { afterEach, expect, it } from "vitest";
import { createHttpServer, refuseOtherUpgrades } from "../src/index.ts";

let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A server that answers with the body of the request, and with what it knows of the sender. */
async function start(): Promise<number> {
  server = createHttpServer(async (request, response) => {
    response.end(`${request.headers["x-forwarded-for"] ?? ""}|${await text(request)}`);
  }, undefined);
  refuseOtherUpgrades(server, () => false);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  return text(socket);
}

it("answers a request that offers h2c as any other, its body included", async () => {
  const port = await start();

  const answer = await exchange(
    port,
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n" +
      "HTTP2-Settings: AAEAAEAAAAIAAAAB\r\nContent-Length: 4\r\n\r\nbody",
  );

  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain("|body");
});

it("answers an offer of h2c also where Node hands every offer over", async () => {
  const port = await start();
  // As Node before 22.21 and 24.9 does. A server on the oldest Node that we support has a test of its own.
  Object.assign(server, { shouldUpgradeCallback: () => true });

  const answer = await exchange(
    port,
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n" +
      "HTTP2-Settings: AAEAAEAAAAIAAAAB\r\nX-Forwarded-For: 203.0.113.7:4711\r\nContent-Length: 4\r\n\r\nbody",
  );

  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain("203.0.113.7|body");
});

it("refuses a WebSocket that nobody takes", async () => {
  const port = await start();

  const answer = await exchange(
    port,
    "GET /other HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );

  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
});

it("keeps connections open for longer than proxies and clients do", async () => {
  const port = await start();

  const answer = httpRequest({ port, host: "127.0.0.1", headers: { connection: "keep-alive" } }).end();
  const [response] = await once(answer, "response");

  expect(response.headers["keep-alive"]).toBe("timeout=90");
  response.resume();
});

it("reads the addresses of proxies plainly", async () => {
  const port = await start();

  const answer = await exchange(
    port,
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" +
      "X-Forwarded-For: 203.0.113.7:4711, [2001:db8::1]:443, ::ffff:198.51.100.2\r\n\r\n",
  );

  expect(answer).toContain("203.0.113.7, 2001:db8::1, 198.51.100.2|");
});

it.runIf(process.platform === "linux")(
  "lets the system ask silent peers if they are still there",
  async () => {
    const port = await start();
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");

    await expect.poll(() => keepAliveProbes(port)).toEqual([true]);
    socket.destroy();
  },
);
