import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

// Another loopback address with the server's own port: sign-in by name checks the Host.
const proxyHost = "127.0.0.4";
const world = useWorld();

/** A proxy that passes plain requests on, and ends every upgrade, as some companies' do. */
async function openProxy(serverUrl: string): Promise<{ readonly url: string; readonly server: Server }> {
  const { hostname, port } = new URL(serverUrl);
  const server = createServer((near, answer) => {
    const { method, url: path, headers } = near;
    const far = request({ host: hostname, port, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      answer.flushHeaders();
      response.on("error", () => answer.destroy()).pipe(answer);
    });
    far.on("error", () => answer.destroy());
    answer.on("close", () => far.destroy());
    near.pipe(far);
  });
  server.on("upgrade", (_, socket) => socket.destroy());
  server.listen(Number(port), proxyHost);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://${proxyHost}:${port}`, server };
}

test("people whose network blocks WebSocket talk like others, also after their connections broke", async () => {
  const proxy = await openProxy(world.server.url);
  const ada = await world.join("Ada Blocked", { url: proxy.url });
  const grace = await world.join("Grace Free");
  const long = "é".repeat(800);

  await ada.startConversation("grace-free");
  await ada.write("Hello around the wall");
  await ada.write(long);
  await grace.row("Ada Blocked").getByRole("link").click();
  await expect.poll(() => textsOf(grace)).toEqual(["Hello around the wall", long]);
  await grace.write("Hello to you");
  await expect.poll(() => textsOf(ada)).toEqual(["Hello around the wall", long, "Hello to you"]);
  await ada.page.getByText("online", { exact: true }).first().waitFor();

  proxy.server.closeAllConnections();
  await grace.write("Are you there?");
  await ada.write("Yes");
  await expect
    .poll(() => textsOf(ada).then((texts) => texts.slice(3).toSorted()))
    .toEqual(["Are you there?", "Yes"]);
  await expect.poll(() => textsOf(grace).then((texts) => texts.length)).toBe(5);
  expect(await textsOf(grace)).toEqual(await textsOf(ada));
  expect(ada.problems.filter((problem) => !/WebSocket|ERR_/.test(problem))).toEqual([]);
  expect(grace.problems).toEqual([]);
});
