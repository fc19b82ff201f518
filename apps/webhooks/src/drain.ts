import type { Server as HttpServer } from "node:http";
import type { Log, Store } from "@chat21/engine";
import { closeHttpServer, createDrainStep, drainTimeoutMs, type StoreWatch, within } from "@chat21/runtime";
import type { WebhookWorker } from "./webhook-worker.ts";

/** What is stopped, as far as it was started. */
export interface DrainParts {
  readonly http?: HttpServer;
  readonly store?: Store;
  readonly watch?: StoreWatch;
  readonly worker?: WebhookWorker | undefined;
  readonly stopLooking?: () => void;
  readonly log: Log;
}

/** Lets requests come to an end and writes their outcomes; what hangs is cut off, and left to the leases of its rows. */
export async function drain(parts: DrainParts): Promise<void> {
  const { http, store, watch, worker, stopLooking, log } = parts;
  const step = createDrainStep(log);
  stopLooking?.();
  await step("webhooks", worker?.stop(drainTimeoutMs * 0.6));
  watch?.stop();
  await step("the store", within(store?.close(), drainTimeoutMs * 0.15));
  await step("HTTP", http?.listening === true ? closeHttpServer(http, drainTimeoutMs * 0.05) : undefined);
}
