import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

const prefix = "/chat";
// Another loopback address with the server's own port: sign-in by name checks the Host.
const proxyHost = "127.0.0.3";

/** A reverse proxy that shows the server below `/chat/`, and nothing elsewhere. Answers its own address. */
async function openProxy(serverUrl: string, strips: boolean): Promise<string> {
  const { hostname, port } = new URL(serverUrl);
  const forward = ({ method, url = "", headers }: IncomingMessage) => {
    const path = strips ? url.slice(prefix.length) : url;
    return request({ host: hostname, port, method, path, headers });
  };
  const proxy = createServer((near, answer) => {
    const isBare = near.url === prefix;
    if (strips && isBare) return void answer.writeHead(308, { location: `${prefix}/` }).end();
    if (!isBare && !near.url?.startsWith(`${prefix}/`)) return void answer.writeHead(404).end();
    near.pipe(forward(near)).on("response", (far) => {
      answer.writeHead(far.statusCode ?? 502, far.headers);
      far.pipe(answer);
    });
  });
  proxy.on("upgrade", (near, socket) => {
    if (!near.url?.startsWith(`${prefix}/`)) return void socket.destroy();
    const far = forward(near).end();
    far.on("upgrade", (answer, farSocket) => {
      const lines = answer.rawHeaders.map((text, index) => text + (index % 2 === 0 ? ": " : "\r\n"));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
      socket.on("error", () => farSocket.destroy()).on("close", () => farSocket.destroy());
      farSocket.on("error", () => socket.destroy()).on("close", () => socket.destroy());
      farSocket.pipe(socket).pipe(farSocket);
    });
    far.on("response", () => socket.destroy());
  });
  proxy.listen(Number(port), proxyHost);
  await once(proxy, "listening");
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://${proxyHost}:${port}`;
}

describe.each([
  ["strips", true, undefined],
  ["leaves", false, { CHAT21_PATH_PREFIX: prefix }],
])("below a path that the reverse proxy %s", (_, strips, env) => {
  const world = useWorld(env);

  test("people sign in, talk, and come back by a reload", async () => {
    const url = await openProxy(world.server.url, strips);
    const ada = await world.join("Ada Prefix", { url: `${url}${prefix}` });
    const grace = await world.join("Grace Prefix", { url: `${url}${prefix}/` });
    expect(new URL(ada.page.url()).pathname).toBe(`${prefix}/`);

    await ada.startConversation("grace-prefix");
    await ada.write("Hello below");
    await grace.row("Ada Prefix").getByRole("link").click();
    await expect.poll(() => textsOf(grace)).toEqual(["Hello below"]);
    await ada.page.getByTitle("Read").waitFor();
    await ada.page.reload();

    await expect.poll(() => textsOf(ada)).toEqual(["Hello below"]);
    expect(new URL(ada.page.url()).pathname).toBe(`${prefix}/`);
    expect([...ada.problems, ...grace.problems]).toEqual([]);
  });
});
