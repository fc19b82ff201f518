import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock, EventRecord, Fact } from "@chat21/engine";
import { createWebhookSink } from "@chat21/events";
import { openSqliteStore, type SqliteStore } from "@chat21/store-sqlite";
import { expect, onTestFinished, test } from "vitest";
import { createWebhookWorker } from "../src/index.ts";
import { receiver, recordTelemetry, secret } from "./world.ts";

const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs);
    return () => clearInterval(timer);
  },
  delay: (delayMs) => delay(delayMs),
  soon: (run) => void setImmediate(run),
};

const conversations = 20;
const messages = 1_000;

function message(number: number): Fact {
  const conversation = `group-${number % conversations}`;
  const copy = { user: conversation, conversWith: conversation, status: 100, payload: `{"n":${number}}` };
  const event = { app: "tilechat", conversation, sender: "A", messageId: `m-${number}` } as EventRecord;
  return { kind: "message", event, conversationKind: "group", sent: copy, delivered: [] };
}

function startWorker(store: SqliteStore, url: string) {
  const { log, metrics } = recordTelemetry();
  const endpoints = [{ url, secrets: [secret] }];
  const worker = createWebhookWorker({
    ...{ endpoints, clock, log, metrics },
    store: store.webhooks,
    allowLoopback: true,
  });
  worker.start();
  return worker;
}

test("A database on disk and two processes, one after the other, deliver every message once and in order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chat21-webhooks-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "chat21.db");
  let half = () => {};
  let all = () => {};
  const halfArrived = new Promise<void>((resolve) => {
    half = resolve;
  });
  const allArrived = new Promise<void>((resolve) => {
    all = resolve;
  });
  const backend = await receiver((_request, response, number) => {
    response.end();
    if (number === messages / 2) half();
    if (number === messages) all();
  });

  const firstStore = await openSqliteStore({ path });
  const first = startWorker(firstStore, backend.url);
  const sink = createWebhookSink({
    endpoints: [{ url: backend.url }],
    store: firstStore.webhooks,
    clock,
    onEnqueued: first.wake,
  });
  await sink.accept(Array.from({ length: messages }, (_, number) => message(number)));
  await halfArrived;
  await first.stop(5_000);
  await firstStore.close();

  const secondStore = await openSqliteStore({ path });
  const second = startWorker(secondStore, backend.url);
  await allArrived;
  await second.stop(5_000);
  const left = await secondStore.webhooks.due();
  await secondStore.close();

  const numbers = backend.received.map(({ text }) => JSON.parse(text).data.n as number);
  expect(numbers).toHaveLength(messages);
  for (let conversation = 0; conversation < conversations; conversation++) {
    const mine = numbers.filter((number) => number % conversations === conversation);
    expect(mine).toEqual(mine.toSorted((a, b) => a - b));
    expect(mine).toHaveLength(messages / conversations);
  }
  expect(left).toEqual([]);
}, 30_000);
