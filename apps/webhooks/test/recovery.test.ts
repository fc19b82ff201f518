import type { WebhookStore } from "@chat21/events";
import { createWebhookSink, endpointLabel } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import { describe, expect, test } from "vitest";
import { answer } from "./receiver.ts";
import { mortal, receiver, secret, startWorld } from "./world.ts";

const hourMs = 3_600_000;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("A worker that dies", () => {
  test("Between lease and outcome leaves a row that the next one delivers again, with the same id", async () => {
    const backend = await receiver();
    const store = createMemoryStore().webhooks;
    const clock = createManualClock(Date.now());
    // It dies with its first outcome, before that is written.
    const fate = [0, 0.9];
    const dying = mortal(store, () => fate.shift() ?? 0.9);
    const first = startWorld({ urls: [backend.url], store: dying, clock });
    await first.enqueue([{ endpoint: backend.url }, { endpoint: backend.url }]);
    while (backend.received.length === 0) await turn();

    const second = startWorld({ urls: [backend.url], store, clock });
    await second.untilState("event-2", "delivered");

    expect(backend.received.map(({ headers }) => headers["webhook-id"])).toEqual([
      "event-1",
      "event-1",
      "event-2",
    ]);
    expect(clock.now()).toBeGreaterThanOrEqual((await second.row("event-1")).createdAt + 60_000);
  });

  test("And comes back to life changes nothing that was decided meanwhile", async () => {
    let release = () => {};
    const backend = await receiver((_request, response, number) => {
      if (number === 1) release = () => void response.writeHead(500).end();
      else response.end();
    });
    const store = createMemoryStore().webhooks;
    const clock = createManualClock(Date.now());
    const late = {
      ...store,
      settle: async (outcomes: Parameters<WebhookStore["settle"]>[0]) => {
        await revived;
        await store.settle(outcomes);
        written = true;
      },
    };
    let revive = () => {};
    let written = false;
    const revived = new Promise<void>((resolve) => {
      revive = resolve;
    });
    const first = startWorld({ urls: [backend.url], store: late, clock });
    await first.enqueue([{ endpoint: backend.url }]);
    while (backend.received.length === 0) await turn();
    release();
    const second = startWorld({ urls: [backend.url], store, clock });
    await second.untilState("event-1", "delivered");

    revive();
    while (!written) await turn();

    expect(await second.row("event-1")).toMatchObject({ state: "delivered", attempts: 1, lastStatus: 200 });
  });
});

describe("A clock that is set back by an hour", () => {
  test("Holds back neither what waits nor what comes", async () => {
    let works = false;
    const backend = await receiver((_request, response) => void response.writeHead(works ? 200 : 500).end());
    const world = startWorld({ urls: [backend.url] });
    await world.enqueue([{ endpoint: backend.url }]);
    await world.until(() => backend.received.length > 0);
    const before = world.clock.elapsed();

    world.clock.step(-hourMs);
    works = true;
    await world.untilState("event-1", "delivered");
    await world.enqueue([{ endpoint: backend.url }]);
    await world.untilState("event-2", "delivered");

    expect(world.clock.elapsed() - before).toBeLessThan(60_000);
    expect(world.telemetry.lines.map(({ message }) => message)).toContain(
      "the clock was set back: waiting webhooks are due at once",
    );
  });
});

describe("Rows from a clock that was a day ahead", () => {
  test("Are sent at the start, and within a minute when another machine goes on writing them", async () => {
    const backend = await receiver();
    const clock = createManualClock(Date.now());
    const store = createMemoryStore().webhooks;
    const createdAt = clock.now() + 24 * hourMs;
    const ahead = (id: string) => ({
      ...{ id, endpoint: backend.url, app: "tilechat", orderKey: "lane", event: "message-sent" },
      ...{ body: "{}", createdAt },
    });
    await store.enqueue([ahead("a"), ahead("b"), ahead("c")]);

    const world = startWorld({ urls: [backend.url], store, clock });
    await world.untilState("c", "delivered");
    const afterStart = clock.elapsed();
    await store.enqueue([ahead("d"), ahead("e")]);
    await world.untilState("e", "delivered");

    expect(afterStart).toBeLessThan(10_000);
    expect(clock.elapsed() - afterStart).toBeLessThanOrEqual(70_000);
    expect(backend.received.map(({ headers }) => headers["webhook-id"])).toEqual(["a", "b", "c", "d", "e"]);
  });
});

describe("A store that fails", () => {
  test("To take an outcome is asked again, and the request is not repeated", async () => {
    let failures = 3;
    const store = createMemoryStore({
      gate: async (point) => {
        if (point === "webhooks.settle:before" && failures-- > 0) throw new ChatError("store_unavailable");
      },
    }).webhooks;
    const backend = await receiver();
    const world = startWorld({ urls: [backend.url], store });
    await world.enqueue([{ endpoint: backend.url }]);

    while (world.telemetry.lines.length < 2) await turn();
    for (let second = 0; second < 3; second++) await world.clock.advance(1_000);
    await world.untilState("event-1", "delivered");

    expect(backend.received).toHaveLength(1);
    expect(
      world.telemetry.lines.filter(({ message }) => message === "webhook outcomes not written"),
    ).toHaveLength(3);
  });

  test("To hand out rows is asked again after a second, not in a loop", async () => {
    let asked = 0;
    let broken = true;
    const store = createMemoryStore({
      gate: async (point) => {
        if (point !== "webhooks.lease:before" || !broken) return;
        asked += 1;
        throw new ChatError("store_unavailable");
      },
    }).webhooks;
    const backend = await receiver();
    const world = startWorld({ urls: [backend.url], store });
    await world.enqueue([{ endpoint: backend.url }]);

    for (let second = 0; second < 10; second++) await world.clock.advance(1_000);
    const askedWhileBroken = asked;
    broken = false;
    await world.untilState("event-1", "delivered");

    expect(askedWhileBroken).toBeGreaterThanOrEqual(9);
    expect(askedWhileBroken).toBeLessThanOrEqual(13);
  });
});

describe("A worker at rest", () => {
  test("Finds rows of another process within 5 s, and asks the store no more than now and then", async () => {
    let reads = 0;
    const store = createMemoryStore({
      gate: async (point) => {
        if (point.startsWith("webhooks.lease") || point.startsWith("webhooks.due")) reads += 1;
      },
    }).webhooks;
    const backend = await receiver();
    const world = startWorld({ urls: [backend.url], store });
    await world.clock.advance(hourMs);
    const readsInAnHour = reads;

    const createdAt = world.clock.now();
    await store.enqueue([
      {
        id: "other",
        endpoint: backend.url,
        app: "tilechat",
        orderKey: "k",
        event: "e",
        body: "{}",
        createdAt,
      },
    ]);
    await world.untilState("other", "delivered");

    expect(world.clock.now() - createdAt).toBeLessThanOrEqual(5_000);
    // Per look: before and after the lease, and the question when rows are due.
    expect(readsInAnHour).toBeLessThanOrEqual((hourMs / 5_000 + 2) * 3 + 62);
  });

  test("Sleeps until the next attempt is due", async () => {
    const backend = await receiver(
      (_request, response, number) => void response.writeHead(number < 8 ? 500 : 200).end(),
    );
    const world = startWorld({ urls: [backend.url], random: () => 0.999 });
    await world.enqueue([{ endpoint: backend.url }]);
    let looks = 0;
    const { lease } = world.store;
    world.store.lease = (request) => {
      looks += 1;
      return lease(request);
    };

    await world.untilState("event-1", "delivered");

    const seconds = (world.clock.now() - (await world.row("event-1")).createdAt) / 1_000;
    expect(seconds).toBeGreaterThan(60);
    expect(looks).toBeLessThan(seconds);
  });

  test("Is up again as soon as the next attempt is due", async () => {
    const backend = await receiver(
      (_request, response, number) => void response.writeHead(number < 4 ? 500 : 200).end(),
    );
    const world = startWorld({ urls: [backend.url], random: () => 0 });

    await world.enqueue([{ endpoint: backend.url }]);
    await world.untilState("event-1", "delivered");

    // Three waits of one second, each noticed within a quarter.
    expect(world.clock.now() - (await world.row("event-1")).createdAt).toBeLessThanOrEqual(3 * 1_250);
  });

  test("Does not turn in circles when a store says that something is due and hands out nothing", async () => {
    const backend = await receiver();
    const store = createMemoryStore().webhooks;
    let leases = 0;
    const lying: WebhookStore = {
      ...store,
      due: async () => [{ endpoint: backend.url, dueAt: 0 }],
      lease: async (request) => {
        leases += 1;
        return store.lease(request);
      },
    };
    const world = startWorld({ urls: [backend.url], store: lying });

    for (let step = 0; step < 100; step++) await world.clock.advance(100);

    expect(leases).toBeGreaterThan(10);
    expect(leases).toBeLessThanOrEqual(41);
  });

  test("Is woken by the sink of its own process, without any time passing", async () => {
    const backend = await receiver();
    const world = startWorld({ urls: [backend.url] });
    const { store, clock, worker } = world;
    const sink = createWebhookSink({
      endpoints: [{ url: backend.url }],
      store,
      clock,
      onEnqueued: worker.wake,
    });
    const startedAt = clock.now();

    await sink.accept([{ kind: "presence", app: "tilechat", user: "A", presence: "online", at: 1 }]);
    await world.until(() => backend.received.length === 1);

    expect(clock.now()).toBe(startedAt);
    expect(JSON.parse(backend.received[0]?.text ?? "")).toMatchObject({
      event_type: "presence-change",
      user_id: "A",
    });
  });
});

describe("Stopping", () => {
  test("Takes no more rows, and waits for what is under way", async () => {
    let release = () => {};
    const backend = await receiver((_request, response) => {
      release = () => void response.end();
    });
    const world = startWorld({ urls: [backend.url] });
    await world.enqueue([{ endpoint: backend.url }, { endpoint: backend.url }]);
    while (backend.received.length === 0) await turn();

    const stopped = world.worker.stop(10_000);
    await world.clock.advance(5_000);
    release();
    await stopped;

    expect((await world.row("event-1")).state).toBe("delivered");
    expect(await world.row("event-2")).toMatchObject({ state: "pending", attempts: 0 });
    expect(backend.received).toHaveLength(1);
  });

  test("Ends what does not come to an end in time, to be tried again", async () => {
    const backend = await receiver(() => {});
    const world = startWorld({ urls: [backend.url] });
    await world.enqueue([{ endpoint: backend.url }]);
    while (backend.received.length === 0) await turn();

    const stopped = world.worker.stop(10_000);
    await turn();
    await world.clock.advance(10_000);
    await stopped;

    expect(await world.row("event-1")).toMatchObject({
      state: "pending",
      attempts: 1,
      lastStatus: null,
      lastError: "The server is stopping",
    });
  });

  test("Twice is the same as once", async () => {
    const world = startWorld();

    await Promise.all([world.worker.stop(0), world.worker.stop(0)]);
    world.worker.wake();

    expect(world.telemetry.lines.map(({ message }) => message)).toContain("webhook worker stopped");
  });
});

describe("The sweep", () => {
  test("Counts a silent endpoint within minutes, and no other, from 0", async () => {
    let works = true;
    const silent = await receiver((_request, response) => void response.writeHead(works ? 200 : 404).end());
    const good = await receiver();
    const world = startWorld({ urls: [silent.url, good.url] });
    const silence = (url: string) => world.telemetry.counts.get(`webhook_silence ${endpointLabel(url)}`);
    expect([silence(silent.url), silence(good.url)]).toEqual([0, 0]);
    works = false;

    await world.enqueue([{ endpoint: silent.url }, { endpoint: good.url }]);
    const later = world.clock.now() + 180_000;
    await world.until(() => world.clock.now() >= later);
    expect(silence(silent.url)).toBeGreaterThan(0);
    expect(silence(good.url)).toBe(0);

    works = true;
    await world.untilState("event-1", "delivered");
    const counted = silence(silent.url);
    await world.clock.advance(300_000);
    expect(silence(silent.url)).toBe(counted);
  });

  test("Leaves rows of an endpoint that is not configured, says so once, and gives them up after 72 h", async () => {
    const backend = await receiver();
    const world = startWorld({ urls: [] });

    await world.enqueue([{ endpoint: `${backend.url}?token=hunter2` }]);
    await world.clock.advance(71 * hourMs);
    expect((await world.row("event-1")).state).toBe("pending");
    await world.clock.advance(2 * hourMs);

    expect(await world.row("event-1")).toMatchObject({
      state: "dead",
      lastError: "the endpoint is not configured",
    });
    expect(backend.received).toHaveLength(0);
    const { lines } = world.telemetry;
    expect(lines.filter(({ message }) => message.includes("not configured"))).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain("hunter2");
  });

  test("Gives up what waits for an endpoint that has not worked since its time was over", async () => {
    const dead = await receiver();
    await dead.close();
    const world = startWorld({ urls: [dead.url] });
    const createdAt = world.clock.now() - 71 * hourMs;
    const rows = Array.from({ length: 60 }, (_, n) => ({
      endpoint: dead.url,
      orderKey: `tilechat/${n}`,
      createdAt,
    }));

    await world.enqueue([...rows, ...rows]);
    await world.until(async () => (await world.store.list({ state: "dead", limit: 1_000 })).length === 120);

    const givenUp = await world.store.list({ state: "dead", limit: 1_000 });
    expect(givenUp.every((row) => (row.settledAt ?? 0) - row.createdAt >= 72 * hourMs)).toBe(true);
    expect(givenUp.some((row) => row.lastError === "the endpoint did not work for too long")).toBe(true);
  }, 60_000);

  test("Gives a backlog beyond its time to an endpoint that is not ready at once after a long standstill", async () => {
    let ready = false;
    const backend = await receiver((_request, response) => void response.writeHead(ready ? 200 : 503).end());
    const world = startWorld({ urls: [backend.url] });
    const createdAt = world.clock.now() - 100 * hourMs;
    await world.enqueue(
      Array.from({ length: 100 }, (_, n) => ({
        endpoint: backend.url,
        orderKey: `tilechat/${n}`,
        createdAt,
      })),
    );
    const count = async (state: "dead" | "pending") =>
      (await world.store.list({ state, limit: 1_000 })).length;

    await world.until(() => world.clock.now() >= createdAt + 100 * hourMs + 600_000);
    ready = true;
    await world.until(async () => (await count("pending")) === 0);

    // Only what was asked for while it was not ready had its one attempt.
    expect(await count("dead")).toBeLessThan(35);
  });

  test("Removes delivered rows after a day, and dead letters when they were kept long enough", async () => {
    const good = await receiver();
    const bad = await receiver(answer(410));
    const world = startWorld({ urls: [good.url, bad.url], keepDeadMs: 72 * hourMs });
    await world.enqueue([{ endpoint: good.url }, { endpoint: bad.url }]);
    await world.untilState("event-1", "delivered");
    await world.untilState("event-2", "dead");
    const states = async () => (await world.store.list({ limit: 10 })).map(({ state }) => state);

    await world.clock.advance(23 * hourMs);
    expect(await states()).toEqual(["dead", "delivered"]);
    await world.clock.advance(2 * hourMs);
    expect(await states()).toEqual(["dead"]);
    await world.clock.advance(48 * hourMs);
    expect(await states()).toEqual([]);
  }, 60_000);
});

test("Neither secrets nor bodies nor query strings are logged", async () => {
  const backend = await receiver(
    (_request, response, number) =>
      void response.writeHead([500, 500, 500, 500, 500, 500, 200, 410, 200][number - 1] ?? 200).end(),
  );
  const url = `${backend.url}?token=hunter2`;
  const world = startWorld({ urls: [url] });

  await world.enqueue(Array.from({ length: 3 }, () => ({ endpoint: url, body: '{"text":"private"}' })));
  await world.untilState("event-2", "dead");

  const logged = JSON.stringify(world.telemetry.lines);
  expect(world.telemetry.lines.map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      "webhook worker started",
      "webhook endpoint fails",
      "webhook endpoint works again",
      "webhook is a dead letter",
      "webhook endpoint answered 410: not used until a restart or a replay",
    ]),
  );
  for (const word of ["hunter2", "private", secret.slice(6)]) expect(logged).not.toContain(word);
});
