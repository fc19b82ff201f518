import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { connectPacket, encodePackets, pingreq, publishPacket } from "@chat21/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { type EdgeLimits, isEventStreamPath } from "../src/index.ts";
import { startEdge } from "./start-edge.ts";

/** An edge, and an open stream of it whose events were not read yet. */
async function openStream(limits: Partial<EdgeLimits> = {}) {
  const started = await startEdge(limits);
  const base = started.world.opened.wsUrl.replace(/^ws/, "http").replace(/\/ws$/, "/sse");
  const stream = await fetch(base);
  const reader = (stream.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  let read = "";
  /** Reads on until the pattern is there. */
  const until = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const [, found] = pattern.exec(read) ?? [];
      if (found !== undefined) return found;
      read += (await reader.read()).value ?? "";
    }
  };
  const name = await until(/event:open\ndata:(\S+)\n\n/);
  const post = async (number: number | string, body: Uint8Array, to = name) =>
    (await fetch(`${base}/${to}/${number}`, { method: "POST", body })).status;
  return { ...started, base, stream, reader, name, post, until };
}

const connect = encodePackets(connectPacket());

describe("an event stream", () => {
  it("is told not to be kept, changed or held back, and may be read by pages of other origins", async () => {
    const { stream, base } = await openStream();

    expect(stream.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.headers.get("cache-control")).toBe("no-store, no-transform");
    expect(stream.headers.get("x-accel-buffering")).toBe("no");
    expect(stream.headers.get("access-control-allow-origin")).toBe("*");
    const asked = await fetch(base, { method: "OPTIONS" });
    expect([asked.status, asked.headers.get("access-control-allow-methods")]).toEqual([204, "GET, POST"]);
  });

  it("takes bytes that come twice once, and only in the order of their numbers", async () => {
    const { post, until, world } = await openStream();
    const publish = encodePackets(pingreq);

    expect(await post(0, connect)).toBe(409);
    expect(await post(2, connect)).toBe(409);
    expect(await post("one", connect)).toBe(409);
    expect(await post(1, connect)).toBe(204);
    expect(await post(1, connect)).toBe(204);
    // CONNACK: a second CONNECT would have closed the connection.
    expect(await until(/data:(IAIAAA==)\n\n/)).toBeDefined();
    expect(await post(2, publish)).toBe(204);
    expect(await until(/data:(0AA=)\n\n/)).toBeDefined();
    expect(world.handler.closed).toEqual([]);
  });

  it("is not found under another name, or after its end", async () => {
    const { post, name, reader, world } = await openStream();
    expect(await post(1, connect)).toBe(204);

    expect(await post(2, connect, `${name}x`)).toBe(404);
    await reader.cancel();
    await world.handler.until(() => world.handler.closed.length === 1);
    expect(await post(2, connect)).toBe(404);
  });

  it("does not take more at once than a WebSocket message may hold, and goes on after that", async () => {
    const { post, world } = await openStream({ maxWebSocketMessageBytes: 1_000 });

    expect(await post(1, new Uint8Array(1_001))).toBe(413);
    expect(await post(1, connect)).toBe(204);
    await world.handler.until(() => world.handler.opened.length === 1);
  });

  it("answers other methods with those that it has", async () => {
    const { base, name } = await openStream();

    const [opened, taken] = await Promise.all([
      fetch(base, { method: "POST", body: "" }),
      fetch(`${base}/${name}/1`),
    ]);

    expect([opened.status, opened.headers.get("allow")]).toEqual([405, "GET, OPTIONS"]);
    expect([taken.status, taken.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  });

  it("is refused where the edge is full, with the time after which to come again", async () => {
    const { base } = await openStream({ maxConnections: 1 });

    const refused = await fetch(base);

    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  });

  it("that is open goes on while the edge ends, and no other is opened, on the caller's server too", async () => {
    const server = createServer((incoming, outgoing) => {
      if (!isEventStreamPath(incoming)) outgoing.end("a page");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { edge, world } = await startEdge({}, [{ kind: "http-server", server }]);
    const stream = await fetch(`${url}/sse`);
    const name = /event:open\ndata:(\S+)/.exec(
      new TextDecoder().decode((await stream.body?.getReader().read())?.value),
    )?.[1];
    world.handler.onPublish = () => settled.promise;
    const settled = Promise.withResolvers<void>();
    const post = async (number: number, body: Uint8Array) =>
      (await fetch(`${url}/sse/${name}/${number}`, { method: "POST", body })).status;
    expect(await post(1, encodePackets(connectPacket(), publishPacket()))).toBe(204);
    await world.handler.until(() => world.handler.publishes.length === 1);

    const closed = edge.close(5_000);
    const other = await fetch(`${url}/sse`);
    expect([other.status, other.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await post(2, encodePackets(pingreq))).toBe(204);
    settled.resolve();
    await closed;
    expect((await fetch(`${url}/`)).status).toBe(200);
  });

  it("stays open when a request breaks off in its middle, and takes the same number again", async () => {
    const { base, name, post, world } = await openStream();
    const broken = request(`${base}/${name}/1`, { method: "POST", headers: { "content-length": 100 } });
    broken.on("error", () => {});
    broken.write(connect.subarray(0, 5));
    await new Promise((resolve) => broken.on("socket", (socket) => socket.once("connect", resolve)));
    broken.destroy();

    await expect.poll(() => post(1, connect)).toBe(204);
    await world.handler.until(() => world.handler.opened.length === 1);
  });
});
