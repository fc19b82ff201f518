import type { ServerResponse } from "node:http";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answer, type Handler } from "./receiver.ts";
import { mortal, receiver, startWorld } from "./world.ts";

const numberOf = (text: string): number => JSON.parse(text).number;

/** First success of each body, in order of arrival. */
function firstSuccesses(log: readonly { readonly text: string; readonly ok: boolean }[]): string[] {
  return [...new Set(log.filter(({ ok }) => ok).map(({ text }) => text))];
}

/** Fails as often and in whatever way `chance` says; keeps what it answered. */
function unreliable(random: () => number): { handle: Handler; log: { text: string; ok: boolean }[] } {
  const log: { text: string; ok: boolean }[] = [];
  const fail = (response: ServerResponse): void => {
    if (random() < 0.3) response.destroy();
    else if (random() < 0.5) response.writeHead(500).end("no");
    else response.writeHead(429, { "retry-after": "2" }).end();
  };
  return {
    log,
    handle: ({ text }, response) => {
      const ok = random() < 0.6;
      log.push({ text, ok });
      if (ok) response.end();
      else fail(response);
    },
  };
}

/** A small deterministic generator: a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

describe("In one conversation", () => {
  test("No request is made while an earlier row has not come to an end", async () => {
    const backend = await receiver(
      (_request, response, number) => void response.writeHead(number <= 4 ? 503 : 200).end(),
    );
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue(Array.from({ length: 5 }, () => ({ endpoint: backend.url })));
    await world.untilState("event-5", "delivered");

    expect(backend.received.map(({ text }) => numberOf(text))).toEqual([1, 1, 1, 1, 1, 2, 3, 4, 5]);
  });

  test("Requests never overlap", async () => {
    let open = 0;
    let most = 0;
    const backend = await receiver(async (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      response.end();
    });
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue(Array.from({ length: 30 }, () => ({ endpoint: backend.url })));
    await world.untilState("event-30", "delivered");

    expect(most).toBe(1);
  });

  test("A row that is given up after 72 h lets the next one go on, which has its own attempts", async () => {
    const backend = await receiver(
      ({ text }, response) => void response.writeHead(numberOf(text) === 1 ? 500 : 200).end(),
    );
    const world = startWorld({ urls: [backend.url] });
    const startedAt = world.clock.now();

    await world.enqueue([{ endpoint: backend.url }, { endpoint: backend.url }]);
    await world.untilState("event-1", "dead");
    await world.untilState("event-2", "delivered");

    const first = await world.row("event-1");
    expect(first.settledAt).toBeGreaterThanOrEqual(startedAt + 72 * 3_600_000);
    expect(first.settledAt).toBeLessThan(startedAt + 72 * 3_600_000 + 120_000);
    expect(first.attempts).toBeGreaterThan(12);
    expect((await world.row("event-2")).attempts).toBe(1);
  });
});

describe("Different conversations", () => {
  test("Go on side by side, bounded per endpoint", async () => {
    let open = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const backend = await receiver(async (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      await new Promise<void>((resolve) => waiting.push(resolve));
      open -= 1;
      response.end();
    });
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue(
      Array.from({ length: 40 }, (_, n) => ({ endpoint: backend.url, orderKey: `tilechat/${n}` })),
    );
    for (const together of [16, 16, 8]) {
      while (waiting.length < together) await new Promise((resolve) => setImmediate(resolve));
      for (const release of waiting.splice(0)) release();
    }
    await world.untilState("event-40", "delivered");

    expect(most).toBe(16);
  });

  test("Are not held back by one that fails", async () => {
    const backend = await receiver(
      ({ text }, response) => void response.writeHead(numberOf(text) === 1 ? 500 : 200).end(),
    );
    const world = startWorld({ urls: [backend.url] });
    const startedAt = world.clock.now();

    await world.enqueue([
      { endpoint: backend.url, orderKey: "tilechat/bad" },
      { endpoint: backend.url, orderKey: "tilechat/bad" },
      { endpoint: backend.url, orderKey: "tilechat/good" },
      { endpoint: backend.url, orderKey: "tilechat/good" },
    ]);
    await world.untilState("event-4", "delivered");

    expect(world.clock.now()).toBe(startedAt);
    expect((await world.row("event-2")).attempts).toBe(0);
  });
});

describe("An endpoint that works again", () => {
  test.each([404, 500, 503])(
    "After hours of %i gets all that waits for it within a minute",
    async (status) => {
      let broken = true;
      const backend = await receiver(
        (_request, response) => void response.writeHead(broken ? status : 200).end(),
      );
      const world = startWorld({ urls: [backend.url], random: () => 0.999 });
      const rows = Array.from({ length: 40 }, (_, n) => ({
        endpoint: backend.url,
        orderKey: `tilechat/${n}`,
      }));
      await world.enqueue(rows);
      const pending = async () => (await world.store.list({ state: "pending", limit: 100 })).length;
      const repairedAt = world.clock.now() + 2 * 3_600_000;
      await world.until(() => world.clock.now() >= repairedAt);

      broken = false;
      const from = world.clock.now();
      await world.until(async () => (await pending()) === 0);

      expect(world.clock.now() - from).toBeLessThanOrEqual(62_000);
      expect(await world.store.list({ state: "dead", limit: 1 })).toEqual([]);
    },
    60_000,
  );
});

describe("A healthy conversation", () => {
  test("Gets its request at once while 520 others always fail, each of which rests by itself", async () => {
    const backend = await receiver(
      ({ text }, response) => void response.writeHead(text === '"healthy"' ? 200 : 500).end(),
    );
    const world = startWorld({ urls: [backend.url] });
    const bad = Array.from({ length: 520 }, (_, n) => ({ endpoint: backend.url, orderKey: `tilechat/${n}` }));
    await world.enqueue(bad);
    const later = world.clock.now() + 600_000;
    await world.until(() => world.clock.now() >= later);
    const from = world.clock.now();

    await world.enqueue([{ endpoint: backend.url, orderKey: "tilechat/good", body: '"healthy"' }]);
    await world.untilState("event-521", "delivered");

    expect(world.clock.now() - from).toBeLessThanOrEqual(1_000);
  }, 60_000);
});

describe("Different endpoints", () => {
  test("Are not held back by one where 10,000 rows wait in vain", async () => {
    const dead = await receiver();
    await dead.close();
    const alive = await receiver();
    const world = startWorld({ urls: [dead.url, alive.url] });
    const rows = Array.from({ length: 10_000 }, (_, n) => ({
      endpoint: dead.url,
      orderKey: `tilechat/${n}`,
    }));

    await world.enqueue([...rows, { endpoint: alive.url }]);
    await world.untilState("event-10001", "delivered");

    expect(alive.received).toHaveLength(1);
    // A dead endpoint is asked now and then, not for every row.
    await world.clock.advance(600_000);
    expect(world.telemetry.counts.get("webhook_attempts retry") ?? 0).toBeLessThan(50);
  });

  test("Are not held back by many that hang", async () => {
    const hanging = await receiver(() => {});
    const hangingUrls = Array.from({ length: 10 }, (_, n) => `${hanging.url}/${n}`);
    const alive = await receiver();
    const world = startWorld({ urls: [...hangingUrls, alive.url] });
    const stuck = hangingUrls.flatMap((endpoint) =>
      Array.from({ length: 20 }, (_, n) => ({ endpoint, orderKey: `tilechat/${n}` })),
    );

    await world.enqueue(stuck);
    while (hanging.received.length < 64) await new Promise((resolve) => setImmediate(resolve));
    await world.enqueue([{ endpoint: alive.url }]);
    while (alive.received.length === 0) await new Promise((resolve) => setImmediate(resolve));

    expect(hanging.received.length).toBeLessThanOrEqual(64 + hangingUrls.length);
    expect(world.clock.now() - (await world.row("event-201")).createdAt).toBe(0);
  });

  test("Get the same events independently", async () => {
    const good = await receiver();
    const bad = await receiver(answer(410));
    const world = startWorld({ urls: [good.url, bad.url] });

    await world.enqueue([
      { endpoint: good.url },
      { endpoint: bad.url },
      { endpoint: good.url },
      { endpoint: bad.url },
    ]);
    await world.untilState("event-3", "delivered");
    await world.untilState("event-2", "dead");

    expect([good.received.length, bad.received.length]).toEqual([2, 1]);
  });
});

describe("A receiver that fails at random", () => {
  test("Gets each of 1,000 events at least once, and the first time in the order of its conversation", async () => {
    const { handle, log } = unreliable(seeded(7));
    const backend = await receiver(handle);
    const world = startWorld({ urls: [backend.url], random: seeded(3) });
    const rows = Array.from({ length: 1_000 }, (_, n) => ({
      endpoint: backend.url,
      orderKey: `tilechat/${n % 25}`,
      body: `${n % 25} ${n}`,
    }));

    await world.enqueue(rows);
    await world.until(
      async () => (await world.store.list({ state: "delivered", limit: 1_000 })).length === 1_000,
    );

    const arrived = firstSuccesses(log);
    expect(arrived).toHaveLength(1_000);
    for (let conversation = 0; conversation < 25; conversation++) {
      const mine = arrived.filter((text) => text.startsWith(`${conversation} `));
      expect(mine).toEqual(
        rows.map(({ body }) => body).filter((text) => text.startsWith(`${conversation} `)),
      );
    }
    expect(log.length).toBeGreaterThan(1_000);
  }, 30_000);

  test("Gets everything in order from several workers, some of which die at any moment", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), async (seed) => {
        const random = seeded(seed);
        const { handle, log } = unreliable(random);
        const backend = await receiver(handle);
        const memory = createMemoryStore().webhooks;
        const clock = createManualClock(Date.now());
        const world = startWorld({ urls: [backend.url], store: memory, clock, random });
        const mortals = [1, 2].map(() =>
          startWorld({ urls: [backend.url], store: mortal(memory, random), clock, random }),
        );
        const rows = Array.from({ length: 60 }, (_, n) => ({
          endpoint: backend.url,
          orderKey: `tilechat/${n % 4}`,
          body: `${n % 4} ${n}`,
        }));

        await world.enqueue(rows);
        for (const { worker } of mortals) worker.wake();
        await world.until(async () => (await memory.list({ state: "delivered", limit: 100 })).length === 60);

        const arrived = firstSuccesses(log);
        for (let conversation = 0; conversation < 4; conversation++) {
          const mine = arrived.filter((text) => text.startsWith(`${conversation} `));
          expect(mine).toEqual(
            rows.map(({ body }) => body).filter((text) => text.startsWith(`${conversation} `)),
          );
        }
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});
