import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonItems } from "@chat21/engine";
import express, { type Response } from "express";
import { afterEach, describe, expect, it, vi } from "vitest";
import { compressAnswers } from "../src/compress-answers.ts";
import { jsonList } from "../src/reply.ts";
import { sendList } from "../src/send-list.ts";

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Waits for what comes in its own time, on machines that do other things as well. */
const until = <Value>(check: () => Value | Promise<Value>) => vi.waitFor(check, { timeout: 20_000 });

/** Serves what `answer` writes, compressed for who asks for it, and resolves with its address. */
async function serve(answer: (response: Response) => Promise<void>): Promise<string> {
  const app = express();
  app.use(compressAnswers());
  app.get("/", (_request, response) => answer(response));
  server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const list = (items: JsonItems) =>
  jsonList(200, { before: '{"items":[', items, after: (cursor) => `],"cursor":${JSON.stringify(cursor)}}` });

/** So many items of so many characters; says how many were asked for and whether it was ended. */
function counted(count: number, characters: number) {
  const seen = { items: 0, ended: false };
  async function* items(): JsonItems {
    try {
      for (; seen.items < count; seen.items++) yield `"${"x".repeat(characters)}"`;
      return "next";
    } finally {
      seen.ended = true;
    }
  }
  return { seen, items: items() };
}

/** A reader that takes nothing but the head. */
async function openSlowly(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const [incoming] = await once(get(url, { headers }), "response");
  return (incoming as IncomingMessage).pause();
}

describe("a list", { timeout: 30_000 }, () => {
  it("of one piece goes with its length", async () => {
    const url = await serve((response) => sendList(response, list(counted(3, 2).items)));

    const answer = await fetch(url);

    expect(await answer.text()).toBe('{"items":["xx","xx","xx"],"cursor":"next"}');
    expect(answer.headers.get("content-length")).toBe("42");
  });

  it("of many pieces is the same text, for readers of either kind", async () => {
    const url = await serve((response) => sendList(response, list(counted(500, 1_000).items)));

    const plain = await fetch(url, { headers: { "accept-encoding": "identity" } });
    const packed = await fetch(url, { headers: { "accept-encoding": "br" } });

    const text = await plain.text();
    expect(JSON.parse(text)).toEqual({ items: Array(500).fill("x".repeat(1_000)), cursor: "next" });
    expect(packed.headers.get("content-encoding")).toBe("br");
    expect(await packed.text()).toBe(text);
  });

  it("without items is whole", async () => {
    const url = await serve((response) => sendList(response, list(counted(0, 0).items)));

    expect(await (await fetch(url)).json()).toEqual({ items: [], cursor: "next" });
  });

  it.each(["identity", "gzip"])(
    "is read no faster than it is taken, and ends with its reader (%s)",
    async (encoding) => {
      // Random enough that compressing does not make it small.
      const seen = { items: 0, ended: false };
      async function* items(): JsonItems {
        try {
          for (; seen.items < 20_000; seen.items++) yield `"${randomBytes(3_072).toString("base64")}"`;
          return null;
        } finally {
          seen.ended = true;
        }
      }
      const url = await serve((response) => sendList(response, list(items())));

      const reader = await openSlowly(url, { "accept-encoding": encoding });
      let before = -1;
      await until(() => {
        const now = seen.items;
        const stands = now === before;
        before = now;
        expect(stands).toBe(true);
      });

      expect(seen.items).toBeLessThan(5_000);
      expect(seen.ended).toBe(false);
      reader.destroy();
      await until(() => expect(seen.ended).toBe(true));
    },
  );

  it("is not read to its end for its head alone", async () => {
    const { seen, items } = counted(1_000, 1_000);
    const url = await serve((response) => sendList(response, list(items)));

    const answer = await fetch(url, { method: "HEAD" });

    expect([answer.status, seen.ended]).toEqual([200, true]);
    expect(seen.items).toBeLessThan(30);
  });

  it("that fails at once can still be answered otherwise", async () => {
    async function* failing(): JsonItems {
      yield '"one"';
      throw new Error("broken");
    }
    const url = await serve(async (response) => {
      await sendList(response, list(failing())).catch(() => response.status(503).end());
    });

    expect((await fetch(url)).status).toBe(503);
  });

  it.each(["identity", "gzip"])(
    "that fails after its first bytes ends the connection (%s)",
    async (encoding) => {
      async function* failing(): JsonItems {
        for (let n = 0; n < 100; n++) yield `"${"x".repeat(1_000)}"`;
        throw new Error("broken");
      }
      let failure: unknown;
      const url = await serve((response) =>
        sendList(response, list(failing())).catch((thrown: unknown) => {
          failure = thrown;
        }),
      );

      const answer = await fetch(url, { headers: { "accept-encoding": encoding } })
        .then(
          (response) => response.text(),
          (thrown: unknown) => Promise.reject(thrown),
        )
        .catch((thrown: unknown) => thrown);

      expect(answer).toBeInstanceOf(Error);
      expect(failure).toMatchObject({ message: "broken" });
    },
  );

  it("ends for a reader that has left before the first piece", async () => {
    const { seen, items } = counted(1_000, 1_000);
    const entered = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const url = await serve(async (response) => {
      response.once("close", left.resolve);
      entered.resolve();
      await left.promise;
      await sendList(response, list(items));
    });

    const request = get(url).on("error", () => {});
    await entered.promise;
    request.destroy();

    await until(() => expect(seen.ended).toBe(true));
    expect(seen.items).toBeLessThan(30);
  });

  it("ends for a reader that takes nothing for too long", async () => {
    const { seen, items } = counted(100_000, 4_096);
    const url = await serve((response) => sendList(response, list(items), 100));

    const reader = await openSlowly(url);
    reader.on("error", () => {});

    await until(() => expect(seen.ended).toBe(true));
    expect(seen.items).toBeLessThan(100_000);
  });
});
