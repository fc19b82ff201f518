import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { anything, RestClient } from "../src/connection/rest.ts";
import { TokenKeeper } from "../src/connection/token-keeper.ts";
import { ManualClock, settle } from "./support/manual-clock.ts";

const answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
const claims = btoa(JSON.stringify({ sub: "alice", app_id: "tilechat" }));

/** A server that answers the first request of each connection, and nothing after it: the connection has died. */
async function openServer() {
  const requests: string[] = [];
  const sockets: Socket[] = [];
  const answered = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      requests.push(data.toString().split(" HTTP")[0] ?? "");
      if (!answered.has(socket)) socket.write(answer);
      answered.add(socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const clock = new ManualClock();
  const rest = new RestClient({
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens: new TokenKeeper(`x.${claims}.x`, clock),
    fetch: globalThis.fetch,
    clock,
  });
  return { rest, clock, requests };
}

describe("a request on a pooled connection that died", () => {
  test("is tried again on another one after 4 s, when it may be repeated", async () => {
    const { rest, clock, requests } = await openServer();
    await rest.call("GET", ["one"], anything);
    // The connection goes back to its pool.
    await settle();

    const second = rest.call("GET", ["two"], anything);
    await vi.waitUntil(() => requests.length === 2, { timeout: 20_000 });
    await clock.advance(4_000);

    expect(await second).toEqual({});
    expect(requests).toEqual(["GET /one", "GET /two", "GET /two"]);
  });

  test("is not repeated when that could do something twice", async () => {
    const { rest, clock, requests } = await openServer();
    await rest.call("GET", ["one"], anything);
    // The connection goes back to its pool.
    await settle();

    const second = rest.call("POST", ["groups"], anything, { body: {} });
    const outcome = expect(second).rejects.toMatchObject({ code: "timeout" });
    await vi.waitUntil(() => requests.length === 2, { timeout: 20_000 });
    await clock.advance(15_000);

    await outcome;
    expect(requests).toEqual(["GET /one", "POST /groups"]);
  });
});
