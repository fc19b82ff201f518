import { startClusterService } from "@chat21/runtime";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import type { Logger } from "pino";
import type { WebhooksConfig } from "./config.ts";
import { startSharedWorker } from "./shared-worker.ts";

/** A process that sends. */
export interface WebhooksService {
  readonly addresses: { readonly metricsUrl: string };
  /** Reads files again; see `Reloads.run`. */
  reload(): void;
  /** Drains: takes no more rows, lets requests come to an end. Within 10 s. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the worker and resolves when it sends. Several processes may: a row belongs to one of them at a time. Throws
 * `OperatorError`, with what to do, for everything an operator can put right; everything opened before is closed.
 */
export function createWebhooksService(config: WebhooksConfig, log: Logger): Promise<WebhooksService> {
  const database = { migrate: migrateMongoStore, connect: connectMongoStore };
  const listener = { port: config.metricsPort, variable: "METRICS_PORT" };
  return startClusterService({ config, database, listener, log }, async (ground) => {
    const { url, store, watch, metrics, drain, reloads, reportHealth } = ground;
    const worker = startSharedWorker({
      ...{ settings: config.webhooks, proxies: config.proxies, store: store.webhooks, metrics, log, reloads },
    });
    if (worker !== undefined) {
      // Requests under way come to an end; those that hang are cut off, and left to the leases of their rows.
      drain.add("webhooks", 0.6, (timeoutMs) => worker.stop(timeoutMs));
      drain.add("looking for webhooks", 0, worker.stopLooking);
    }
    reportHealth(watch.health);
    return { addresses: { metricsUrl: `${url}/metrics` }, reload: reloads.run, close: drain.close };
  });
}
