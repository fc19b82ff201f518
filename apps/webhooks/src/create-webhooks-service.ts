import type { Metrics } from "@chat21/engine";
import type { WebhookStore } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import { OperatorError, startClusterService, systemClock } from "@chat21/runtime";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import type { Logger } from "pino";
import { sends, type WebhooksConfig } from "./config.ts";
import { createWebhookWorker, type WebhookWorker } from "./webhook-worker.ts";

/** A process that sends. */
export interface WebhooksService {
  readonly addresses: { readonly metricsUrl: string };
  /** Reads files again; see `Reloads.run`. */
  reload(): void;
  /** Drains: takes no more rows, lets requests come to an end. Within 10 s. Idempotent. */
  close(): Promise<void>;
}

/** How often the worker looks at the store: the store tells of rows that other processes add, but may miss some. */
const lookEveryMs = 500;

/**
 * Starts the worker and resolves when it sends. Several processes may: a row belongs to one of them at a time. Throws
 * `OperatorError`, with what to do, for everything an operator can put right; everything opened before is closed.
 */
export function createWebhooksService(config: WebhooksConfig, log: Logger): Promise<WebhooksService> {
  const database = { migrate: migrateMongoStore, connect: connectMongoStore };
  const listener = { port: config.metricsPort, variable: "METRICS_PORT" };
  return startClusterService({ config, database, listener, log }, async (ground) => {
    const { url, store, watch, metrics, drain, reloads, reportHealth } = ground;
    const worker = startWorker(config, store.webhooks, metrics, log);
    if (worker !== undefined) {
      // Requests under way come to an end; those that hang are cut off, and left to the leases of their rows.
      drain.add("webhooks", 0.6, (timeoutMs) => worker.stop(timeoutMs));
      drain.add("looking for webhooks", 0, lookFor(store.webhooks, worker));
    }
    reportHealth(watch.health);
    return { addresses: { metricsUrl: `${url}/metrics` }, reload: reloads.run, close: drain.close };
  });
}

function lookFor(webhooks: WebhookStore, { wake }: WebhookWorker): () => void {
  const stops = [systemClock.every(lookEveryMs, wake), webhooks.onEnqueued?.(wake)];
  return () => {
    for (const stop of stops) stop?.();
  };
}

function startWorker(
  { webhooks, proxies }: WebhooksConfig,
  store: WebhookStore,
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
      ...{ store, clock: systemClock, log, metrics },
      ...{ endpoints, allowPrivate, keepDeliveredMs, keepDeadMs, proxies },
    });
    worker.start();
    return worker;
  } catch (cause) {
    throw new OperatorError(`WEBHOOK_ENDPOINTS: ${ChatError.fromUnknown(cause).message}`, { cause });
  }
}
