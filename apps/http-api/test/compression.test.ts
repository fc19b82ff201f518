import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { limits } from "@chat21/protocol";
import express from "express";
import { expect } from "vitest";
import { compressAnswers } from "../src/index.ts";
import { test } from "./api.fixture.ts";
import { app, oldMessage } from "./start-api.ts";

/** The bytes of an answer, as they came. */
async function read(
  { port }: { readonly port: number },
  path: string,
  encoding: string | undefined,
  token?: string,
) {
  const headers = {
    ...(encoding === undefined ? {} : { "accept-encoding": encoding }),
    ...(token === undefined ? {} : { authorization: token }),
  };
  return new Promise<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, headers }, async (incoming) => {
      resolve({ headers: incoming.headers, body: Buffer.concat(await incoming.toArray()) });
    });
    outgoing.on("error", reject).end();
  });
}

const unpack = { br: brotliDecompressSync, gzip: gunzipSync };

test.for([
  ["br", "br"],
  ["gzip", "gzip"],
  ["gzip, deflate, br", "br"],
  ["br;q=0, gzip", "gzip"],
] as const)(
  "a long answer to a reader of %s comes as %s, and is the same",
  async ([accepted, encoding], { api }) => {
    const packed = await read(api, "/api/v1/openapi.json", accepted);
    const plain = await read(api, "/api/v1/openapi.json", undefined);

    expect(packed.headers).toMatchObject({ "content-encoding": encoding, vary: "Accept-Encoding" });
    expect(plain.headers).toMatchObject({ vary: "Accept-Encoding" });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(packed.body.length).toBeLessThan(plain.body.length / 3);
    expect(unpack[encoding](packed.body).equals(plain.body)).toBe(true);
  },
);

test("a refusal is readable across origins, and says what it varies by", async ({ api }) => {
  const answer = await read(api, `/api/${app}/alice/conversations`, "br");

  expect(answer.headers).toMatchObject({ "access-control-allow-origin": "*", vary: "Accept-Encoding" });
});

test("an answer is compressed from its named length on", async ({ api }) => {
  const sizes: number[] = [];
  const alice = api.token("alice");
  for (const characters of [limits.compressFromBytes / 4, limits.compressFromBytes]) {
    await api.post(`/api/${app}/messages`, alice, oldMessage(`bob-${characters}`, "x".repeat(characters)));
    const path = `/api/${app}/alice/conversations/bob-${characters}`;
    const answer = await read(api, path, "gzip", alice);
    const isPacked = answer.headers["content-encoding"] === "gzip";
    const body = isPacked ? gunzipSync(answer.body) : answer.body;

    expect(JSON.parse(body.toString()).result).toHaveLength(1);
    expect(isPacked).toBe(body.length >= limits.compressFromBytes);
    sizes.push(body.length);
  }

  expect(sizes[0]).toBeLessThan(limits.compressFromBytes);
  expect(sizes[1]).toBeGreaterThan(limits.compressFromBytes);
});

test("metrics are never compressed", async ({ api }) => {
  const answer = await read(api, "/metrics", "gzip, br");

  expect(answer.body.length).toBeGreaterThan(limits.compressFromBytes);
  expect(answer.headers["content-encoding"]).toBeUndefined();
});

test("a stream of events goes as it is", async () => {
  const stream = express();
  stream.use(compressAnswers());
  stream.get("/", (_request, response) => {
    response.type("text/event-stream").send("data: x\n\n".repeat(limits.compressFromBytes));
  });
  const server = createServer(stream).listen(0, "127.0.0.1");
  await once(server, "listening");

  const answer = await read(server.address() as AddressInfo, "/", "gzip, br");

  expect(answer.headers["content-encoding"]).toBeUndefined();
  server.close();
});
