import type { Log, Metrics } from "@chat21/engine";
import type { StoredWebhookDelivery, WebhookDelivery, WebhookStore } from "@chat21/events";
import { generateWebhookSecret } from "@chat21/events";
import { createManualClock, createMemoryStore, type ManualClock } from "@chat21/testkit";
import { onTestFinished } from "vitest";
import { createWebhookWorker, type WebhookWorker, type WebhookWorkerOptions } from "../src/index.ts";
import { type Handler, type Receiver, startReceiver } from "./receiver.ts";

export const secret = generateWebhookSecret();

/** What was logged and counted. */
export interface Telemetry {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[];
  readonly counts: Map<string, number>;
}

export function recordTelemetry(): Telemetry {
  const lines: Telemetry["lines"] = [];
  const counts: Telemetry["counts"] = new Map();
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return {
    lines,
    counts,
    log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    metrics: {
      count(name, labels = {}, by = 1) {
        const key = [name, ...Object.values(labels)].join(" ");
        counts.set(key, (counts.get(key) ?? 0) + by);
      },
      observe(name) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
      },
    },
  };
}

/** A store that knows how many of the rows it leased were not settled yet. */
function countLeases(store: WebhookStore): WebhookStore & { leased(): number } {
  let leased = 0;
  return {
    ...store,
    leased: () => leased,
    async lease(request) {
      const rows = await store.lease(request);
      leased += rows.length;
      return rows;
    },
    async settle(outcomes) {
      await store.settle(outcomes);
      leased -= outcomes.length;
    },
  };
}

/**
 * A store as a process sees it that is killed at some moment: an outcome is never written, or written and never
 * heard of, and nothing comes after it.
 */
export function mortal(store: WebhookStore, random: () => number): WebhookStore {
  let alive = true;
  return {
    ...store,
    lease: async (request) => (alive ? store.lease(request) : []),
    due: async () => (alive ? store.due() : []),
    async settle(outcomes) {
      const dies = random() < 0.1;
      if (alive && (!dies || random() < 0.5)) await store.settle(outcomes);
      alive &&= !dies;
      if (!alive) await new Promise(() => {});
    },
  };
}

/** A worker on a memory store with a clock of its own. */
export interface World {
  readonly clock: ManualClock;
  readonly store: WebhookStore & { leased(): number };
  readonly worker: WebhookWorker;
  readonly telemetry: Telemetry;
  /** Adds rows `event-1`… in order. */
  enqueue(rows: readonly (Partial<WebhookDelivery> & { readonly endpoint: string })[]): Promise<void>;
  row(id: string): Promise<StoredWebhookDelivery>;
  /** Lets time pass, timer by timer, never while a request is under way, until the condition holds. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Until the row is in that state. */
  untilState(id: string, state: StoredWebhookDelivery["state"]): Promise<void>;
}

export type WorldOptions = Partial<WebhookWorkerOptions> & { readonly urls?: readonly string[] };

/** Starts a worker; it is stopped when the test ends. */
export function startWorld({ urls = [], ...options }: WorldOptions = {}): World {
  const clock = (options.clock as ManualClock | undefined) ?? createManualClock(Date.now());
  const store = countLeases(options.store ?? createMemoryStore().webhooks);
  const telemetry = recordTelemetry();
  const worker = createWebhookWorker({
    ...{ clock, store, log: telemetry.log, metrics: telemetry.metrics, allowLoopback: true },
    endpoints: urls.map((url) => ({ url, secrets: [secret] })),
    ...options,
    store,
  });
  onTestFinished(async () => {
    let stopped = false;
    void worker.stop(0).then(() => {
      stopped = true;
    });
    while (!stopped) await clock.advance(100);
  });
  worker.start();
  const world: World = {
    ...{ clock, store, worker, telemetry },
    async enqueue(rows) {
      const first = (await store.list({ limit: 1 }))[0]?.position ?? 0;
      await store.enqueue(
        rows.map((row, index) => delivery({ createdAt: clock.now(), ...row }, first + index + 1)),
      );
      worker.wake();
    },
    async row(id) {
      const [row] = await store.list({ id, limit: 1 });
      if (row === undefined) throw new Error(`no row ${id}`);
      return row;
    },
    until: (condition) => passTime(clock, store, condition),
    untilState: (id, state) => world.until(async () => (await world.row(id)).state === state),
  };
  return world;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Moves the clock from timer to timer, and stands still while rows are leased. */
async function passTime(
  clock: ManualClock,
  store: { leased(): number },
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let step = 0; ; step++) {
    // A worker needs some turns after a request before it has taken the next row, or gone to sleep.
    for (let calm = 0; calm < 4; calm = store.leased() > 0 ? 0 : calm + 1) await turn();
    if (await condition()) return;
    if (step > 200_000) throw new Error("the condition never held");
    await clock.advance(Math.max(0, (clock.nextTimerAt() ?? clock.now() + 1_000) - clock.now()));
  }
}

export function delivery(
  row: Partial<WebhookDelivery> & { readonly endpoint: string },
  number: number,
): WebhookDelivery {
  return {
    id: `event-${number}`,
    app: "tilechat",
    orderKey: "tilechat/A.B",
    event: "message-sent",
    body: JSON.stringify({ number }),
    createdAt: 0,
    ...row,
  };
}

/** Starts a receiver that is closed when the test ends. */
export async function receiver(handle?: Handler, host?: string): Promise<Receiver> {
  const started = await startReceiver(handle, host);
  onTestFinished(() => started.close());
  return started;
}
