import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import type { WebhookWorkerOptions } from "../src/index.ts";
import { receiver, startWorld } from "./world.ts";

type Resolve = NonNullable<WebhookWorkerOptions["resolve"]>;

const resolvesTo =
  (...addresses: readonly string[]): Resolve =>
  (_hostname, callback) =>
    setImmediate(() =>
      callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      ),
    );

/** The answer of a resolver that knows no public names, as on a machine behind a proxy. */
const knowsNoNames: Resolve = (hostname, callback) =>
  setImmediate(() => callback(new Error(`getaddrinfo ENOTFOUND ${hostname}`), []));

/** A proxy that tunnels every connection to a port of this machine; `asked` are the hosts that it was asked for. */
async function startProxy(port: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer().on("connect", ({ url = "" }, client) => {
    asked.push(url);
    const target = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) socket.on("error", () => {});
    client.on("close", () => target.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Ports on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("A proxy of the environment", () => {
  test("Carries requests to names that only it knows", async () => {
    const backend = await receiver();
    const proxy = await startProxy(backend.port);
    const url = "http://backend.example/hook";
    const proxies = { http: proxy.url, https: "", except: "" };
    const world = startWorld({ urls: [url], allowLoopback: false, proxies, resolve: knowsNoNames });

    await world.enqueue([{ endpoint: url }]);
    await world.untilState("event-1", "delivered");

    expect(proxy.asked).toEqual(["backend.example:80"]);
    expect(backend.received[0]?.headers).toMatchObject({ host: "backend.example" });
  });

  test("Is not asked for hosts that NO_PROXY names, nor for this machine", async () => {
    const backend = await receiver();
    const proxy = await startProxy(backend.port);
    const urls = [`http://in.house.example:${backend.port}/hook`, backend.url];
    const proxies = { http: proxy.url, https: "", except: "house.example" };
    const world = startWorld({ urls, proxies, resolve: resolvesTo("127.0.0.1") });

    await world.enqueue(urls.map((endpoint) => ({ endpoint })));
    await world.untilState("event-1", "delivered");
    await world.untilState("event-2", "delivered");

    expect(proxy.asked).toEqual([]);
  });

  test("Is no way to addresses that are refused, as far as this machine knows them", async () => {
    const backend = await receiver();
    const proxy = await startProxy(backend.port);
    const url = "http://inner.example/hook";
    const proxies = { http: proxy.url, https: "", except: "" };
    const world = startWorld({ urls: [url], allowLoopback: false, proxies, resolve: resolvesTo("10.0.0.1") });

    await world.enqueue([{ endpoint: url }]);
    await world.until(async () => (await world.row("event-1")).attempts > 0);

    expect((await world.row("event-1")).lastError).toContain("10.0.0.1 is not a public address");
    expect(proxy.asked).toEqual([]);
  });

  test("That is down is named by the error", async () => {
    const port = await closedPort();
    const url = "http://backend.example/hook";
    const proxies = { http: `http://127.0.0.1:${port}`, https: "", except: "" };
    const world = startWorld({ urls: [url], allowLoopback: false, proxies, resolve: knowsNoNames });

    await world.enqueue([{ endpoint: url }]);
    await world.until(async () => (await world.row("event-1")).attempts > 0);

    expect((await world.row("event-1")).lastError).toContain(`127.0.0.1:${port}`);
  });
});

describe("A host with several addresses", () => {
  test("That all fail is told with every address", async () => {
    const port = await closedPort();
    const url = `http://backend.example:${port}/hook`;
    const world = startWorld({ urls: [url], resolve: resolvesTo("127.0.0.1", "127.0.0.2") });

    await world.enqueue([{ endpoint: url }]);
    await world.until(async () => (await world.row("event-1")).attempts > 0);

    const { lastError } = await world.row("event-1");
    expect(lastError).toContain(`127.0.0.1:${port}`);
    expect(lastError).toContain(`127.0.0.2:${port}`);
  });

  test("Is given the time that a distant one needs: the first attempt is delivered by an address that answers after a second", async () => {
    const far = await startFar();
    const url = `http://backend.example:${far.port}/hook`;
    const nobody = "127.0.0.3";
    const resolve: Resolve = (hostname, callback) => {
      resolvesTo(far.address, nobody)(hostname, callback);
      // The first packet of the connection is lost meanwhile; the second comes after a second.
      setTimeout(far.wake, 400);
    };
    const world = startWorld({ urls: [url], resolve });

    await world.enqueue([{ endpoint: url }]);
    await world.untilState("event-1", "delivered");

    expect(await world.row("event-1")).toMatchObject({ attempts: 1, lastStatus: 200 });
  });
});

/** A backend that takes no connection until it is woken, as one that is far away. */
async function startFar(): Promise<{ address: string; port: number; wake: () => void }> {
  const address = "127.0.0.2";
  const script = `
    const server = require("node:http").createServer((_request, response) => response.end());
    server.listen({ host: "${address}", port: 0, backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    child.kill("SIGKILL");
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const port = Number(line);
  child.kill("SIGSTOP");
  // The system itself takes a few connections for it; when it takes no more, its queue is full.
  for (let isTaken = true; isTaken; ) {
    const socket = connect(port, address).on("error", () => {});
    sockets.push(socket);
    isTaken = await Promise.race([
      once(socket, "connect").then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
    ]);
  }
  return { address, port, wake: () => void child.kill("SIGCONT") };
}
