import { systemClock } from "@chat21/runtime";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import { describe, expect, test } from "vitest";
import { createWebhookWorker, type WebhookWorkerOptions } from "../src/index.ts";
import { delivery, receiver, recordTelemetry, secret } from "./world.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A backend that knows `"good"` and never answers anything else, and 520 conversations that it does not know. */
async function unknownVisitors(clock: WebhookWorkerOptions["clock"]) {
  const backend = await receiver(({ text }, response) => {
    // A connection that is used again may be closed meanwhile, and its request would not count as arrived.
    if (text === '"good"') response.writeHead(200, { connection: "close" }).end();
  });
  const { webhooks } = createMemoryStore();
  let taken = 0;
  const { log, metrics } = recordTelemetry();
  const worker = createWebhookWorker({
    ...{ clock, log, metrics, allowLoopback: true },
    endpoints: [{ url: backend.url, secrets: [secret] }],
    store: {
      ...webhooks,
      async lease(asked) {
        const rows = await webhooks.lease(asked);
        taken += rows.length;
        return rows;
      },
    },
  });
  let rows = 0;
  const enqueue = async (bodies: readonly string[]) => {
    await webhooks.enqueue(
      bodies.map((body) => {
        rows += 1;
        const orderKey = `tilechat/${rows}`;
        return delivery({ endpoint: backend.url, orderKey, body, createdAt: clock.now() }, rows);
      }),
    );
    worker.wake();
  };
  await enqueue(Array.from({ length: 520 }, () => '"unknown"'));
  worker.start();
  return {
    worker,
    received: backend.received,
    enqueueGood: () => enqueue(['"good"']),
    goods: () => backend.received.filter(({ text }) => text === '"good"').length,
    /** Until every row that was taken has arrived as a request. */
    arrived: async () => {
      for (let calm = 0; calm < 5; calm = backend.received.length < taken ? 0 : calm + 1) await turn();
    },
  };
}

describe("A conversation that is answered", () => {
  test("Does not wait for 520 that never are, neither for their first requests nor for repeated ones", async () => {
    const clock = createManualClock(Date.now());
    const visitors = await unknownVisitors(clock);
    const waits: number[] = [];
    for (const pauseMs of [1_000, 20_000, 120_000]) {
      const enqueueAt = clock.now() + pauseMs;
      while (clock.now() < enqueueAt) {
        await clock.advance(250);
        await visitors.arrived();
      }
      await visitors.enqueueGood();

      const goods = visitors.goods();
      await visitors.arrived();
      for (let step = 0; step < 200 && visitors.goods() === goods; step++) {
        await clock.advance(250);
        await visitors.arrived();
      }
      waits.push(clock.now() - enqueueAt);
    }

    expect(visitors.goods()).toBe(3);
    expect(Math.max(...waits), `waits in milliseconds: ${waits.join(", ")}`).toBeLessThanOrEqual(2_250);
    const stopped = visitors.worker.stop(0);
    await clock.advance(2_000);
    await stopped;
  });

  test("Does not wait on the system's clock either", async () => {
    const visitors = await unknownVisitors(systemClock);
    while (visitors.received.length < 16) await turn();

    await visitors.enqueueGood();
    while (visitors.goods() === 0) await new Promise((resolve) => setTimeout(resolve, 10));

    // Of the 520, only those had a request whose places it shared: the 16 of the beginning, and those of one change.
    expect(visitors.received.length).toBeLessThan(100);
    await visitors.worker.stop(0);
  });
});
