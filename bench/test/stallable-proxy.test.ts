import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StallableProxy } from "../src/targets/stallable-proxy.ts";

let server: Server;
let accepted: Promise<Socket>;
let proxy: StallableProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  accepted = once(server, "connection").then(([socket]) => socket as Socket);
  proxy = await StallableProxy.listen({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  server.close();
});

async function open() {
  const client = connect({ host: "127.0.0.1", port: proxy.port, noDelay: true });
  client.on("error", () => {});
  clients.push(client);
  await once(client, "connect");
  return client;
}

/** Everything that has arrived so far. */
function collect(socket: Socket) {
  const seen = { text: "", ended: false };
  socket.on("data", (chunk) => {
    seen.text += chunk.toString();
  });
  socket.on("end", () => {
    seen.ended = true;
  });
  return seen;
}

/** Time enough for bytes on the loopback to arrive: others went there and back through another proxy meanwhile. */
async function passTime() {
  const echo = createServer({ noDelay: true }, (socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const other = await StallableProxy.listen({
    host: "127.0.0.1",
    port: (echo.address() as AddressInfo).port,
  });
  const client = connect({ host: "127.0.0.1", port: other.port, noDelay: true });
  for (let trip = 0; trip < 5; trip++) {
    client.write("ping");
    await once(client, "data");
  }
  client.destroy();
  await other.close();
  echo.close();
}

describe("a proxy that can stall", () => {
  it("forwards both ways, and that an end closes", async () => {
    const client = await open();
    const far = await accepted;
    const [atServer, atClient] = [collect(far), collect(client)];

    client.write("there");
    far.write("back");
    await vi.waitFor(() => expect([atServer.text, atClient.text]).toEqual(["there", "back"]), {
      timeout: 20_000,
    });
    client.end();

    await vi.waitFor(() => expect(atServer.ended).toBe(true), { timeout: 20_000 });
  });

  it("forwards nothing in a stall, and what was held back in order afterwards", async () => {
    const client = await open();
    const far = await accepted;
    const [atServer, atClient] = [collect(far), collect(client)];
    client.write("1");
    far.write("a");
    await vi.waitFor(() => expect([atServer.text, atClient.text]).toEqual(["1", "a"]), { timeout: 20_000 });

    proxy.stall();
    client.write("2");
    far.write("b");
    await passTime();
    const during = [atServer.text, atClient.text];
    proxy.heal();
    client.write("3");

    await vi.waitFor(() => expect([atServer.text, atClient.text]).toEqual(["123", "ab"]), {
      timeout: 20_000,
    });
    expect(during).toEqual(["1", "a"]);
  });

  it("keeps from the other end that one closed in a stall, until it is over", async () => {
    const client = await open();
    const far = await accepted;
    const atClient = collect(client);
    client.write("1");
    await once(far, "data");

    proxy.stall();
    far.destroy();
    await passTime();
    const during = { ended: atClient.ended, closed: client.closed };
    proxy.heal();

    await vi.waitFor(() => expect(client.destroyed || atClient.ended).toBe(true), { timeout: 20_000 });
    expect(during).toEqual({ ended: false, closed: false });
  });

  it("takes a connection in a stall and lets it reach the server when it is over", async () => {
    proxy.stall();
    const client = await open();
    client.write("late");
    await passTime();
    const duringStall = await new Promise<number>((resolve) =>
      server.getConnections((_, count) => resolve(count)),
    );
    proxy.heal();

    const far = await accepted;
    const atServer = collect(far);
    await vi.waitFor(() => expect(atServer.text).toBe("late"), { timeout: 20_000 });
    expect(duringStall).toBe(0);
  });
});
