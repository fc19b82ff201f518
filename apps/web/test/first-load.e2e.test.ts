import { request } from "node:http";
import { brotliDecompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { useWorld } from "./use-world.ts";

const world = useWorld();

/** The files that `index.html` names: the browser needs them before it shows anything. */
async function filesOfFirstView(): Promise<string[]> {
  const html = await (await fetch(world.server.url)).text();
  return [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/gu)].map(([, path = ""]) => path);
}

/** Asks as a browser does, and returns the answer as it goes over the network. */
function fetchCompressed(
  path: string,
): Promise<{ readonly encoding: string | undefined; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const url = new URL(path, world.server.url);
    request(url, { headers: { "accept-encoding": "gzip, deflate, br" } }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      resolve({ encoding: answer.headers["content-encoding"], body: Buffer.concat(chunks) });
    })
      .on("error", reject)
      .end();
  });
}

test("the sign-in page takes at most 25 kB of the network, and comes as Brotli", async () => {
  const files = await filesOfFirstView();
  const assets = files.filter((file) => file.startsWith("assets/"));
  const answers = await Promise.all(["", ...files].map(fetchCompressed));

  expect(assets.map((file) => file.split(".").at(-1)).sort()).toEqual(["css", "js"]);
  expect(answers.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThanOrEqual(25_000);
  for (const asset of assets) {
    const { encoding, body } = await fetchCompressed(asset);
    expect(encoding).toBe("br");
    expect(brotliDecompressSync(body).length).toBeGreaterThan(body.length);
  }
});

test("the sign-in form works before the chat has come, and the chat comes in two parts while one types, one after the other", async () => {
  const first = await filesOfFirstView();
  const visitor = await world.visit();
  const gate = Promise.withResolvers<void>();
  const asked = new Set<string>();
  await visitor.page.route("**/assets/*.js", async (route) => {
    const path = new URL(route.request().url()).pathname.slice(1);
    if (!first.includes(path)) {
      asked.add(path);
      await gate.promise;
    }
    await route.continue();
  });
  await visitor.page.reload();

  await visitor.page.getByRole("textbox", { name: "Your name" }).fill("Ada First");
  await visitor.page.getByText("ada-first").waitFor();
  await expect.poll(() => asked.size).toBe(1);
  gate.resolve();
  await expect.poll(() => asked.size).toBe(2);
  await visitor.page.getByRole("button", { name: "Start chatting" }).click();

  await visitor.page.getByRole("heading", { level: 1, name: "Ada First" }).waitFor();
  expect(asked.size).toBe(2);
  expect(visitor.problems).toEqual([]);
});
