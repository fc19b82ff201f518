import type { Metrics, Store } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import {
  combineHealth,
  connectClusterStore,
  createHttpServer,
  createPrometheusMetrics,
  type Health,
  listenOn,
  OperatorError,
  operationsListener,
  systemClock,
  urlHost,
  watchStore,
} from "@chat21/runtime";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import { sends, type WebhooksConfig } from "./config.ts";
import { type DrainParts, drain } from "./drain.ts";
import { createWebhookWorker, type WebhookWorker } from "./webhook-worker.ts";

/** A process that sends. */
export interface WebhooksService {
  readonly addresses: { readonly metricsUrl: string };
  /** Drains: takes no more rows, lets requests come to an end. Within 10 s. Idempotent. */
  close(): Promise<void>;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const mongo = { migrate: migrateMongoStore, connect: connectMongoStore };

const chosenBy = { host: "CHAT21_HOST", port: "METRICS_PORT" } as const;

/** The store tells of rows that other processes add, but may miss some: it is looked at so often. */
const lookEveryMs = 500;

/**
 * Starts the worker and resolves when it sends. Several processes may: a row belongs to one of them at a time. Throws
 * `OperatorError`, with what to do, for everything an operator can put right; whatever was opened until then is closed.
 */
export async function createWebhooksService(config: WebhooksConfig, log: Logger): Promise<WebhooksService> {
  const registry = new Registry();
  const metrics = createPrometheusMetrics(registry);
  const parts: Mutable<DrainParts> = { log };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= drain(parts);
    return closing;
  };
  const health = (): Health => {
    if (closing !== undefined) return { ready: false, reason: "shutting_down" };
    return parts.watch === undefined
      ? { ready: false, reason: "starting" }
      : combineHealth(parts.watch.health());
  };
  const { metricsToken } = config;
  parts.http = createHttpServer(operationsListener({ health, registry, metricsToken }), undefined);
  try {
    const port = await listenOn(parts.http, config.host, config.metricsPort, chosenBy);
    parts.store = await connectClusterStore(config, log, mongo);
    parts.worker = startWorker(config, parts.store, metrics, log);
    if (parts.worker !== undefined) parts.stopLooking = lookFor(parts.store, parts.worker);
    parts.watch = watchStore({ store: parts.store, clock: systemClock, log });
    return { addresses: { metricsUrl: `http://${urlHost(config.host)}:${port}/metrics` }, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function lookFor({ webhooks }: Store, { wake }: WebhookWorker): () => void {
  const stops = [systemClock.every(lookEveryMs, wake), webhooks.onEnqueued?.(wake)];
  return () => {
    for (const stop of stops) stop?.();
  };
}

function startWorker(
  { webhooks }: WebhooksConfig,
  store: Store,
  metrics: Metrics,
  log: Logger,
): WebhookWorker | undefined {
  if (!sends(webhooks)) {
    log.warn(
      webhooks.enabled ? "WEBHOOK_ENDPOINTS: none, nothing is sent" : "webhooks are off: nothing is sent",
    );
    return undefined;
  }
  const { endpoints, allowPrivate, keepDeliveredMs, keepDeadMs } = webhooks;
  try {
    const worker = createWebhookWorker({
      ...{ store: store.webhooks, clock: systemClock, log, metrics },
      ...{ endpoints, allowPrivate, keepDeliveredMs, keepDeadMs },
    });
    worker.start();
    return worker;
  } catch (cause) {
    throw new OperatorError(`WEBHOOK_ENDPOINTS: ${ChatError.fromUnknown(cause).message}`, { cause });
  }
}
