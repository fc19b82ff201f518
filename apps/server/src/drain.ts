import type { Server as HttpServer } from "node:http";
import type { Verifier } from "@chat21/auth";
import type { Edge, Engine, Log, Store } from "@chat21/engine";
import { closeHttpServer, createDrainStep, drainTimeoutMs, within } from "@chat21/runtime";
import type { Webhooks } from "./webhooks.ts";

/** What is stopped, as far as it was started. */
export interface DrainParts {
  readonly store: Store;
  readonly verifier?: Verifier;
  readonly engine?: Engine;
  readonly edge?: Edge;
  readonly webhooks?: Webhooks;
  readonly http?: HttpServer;
  readonly log: Log;
}

/**
 * Stops everything in the order in which nothing is lost: no more connections and requests, what was accepted is
 * committed and acknowledged, webhooks under way come to an end, and the store is closed last. What hangs is cut off
 * in time, so that the whole stays below {@link drainTimeoutMs}.
 */
export async function drain(parts: DrainParts): Promise<void> {
  const { store, verifier, engine, edge, webhooks, http, log } = parts;
  const step = createDrainStep(log);
  const requests = step(
    "HTTP",
    http?.listening === true ? closeHttpServer(http, drainTimeoutMs * 0.35) : undefined,
  );
  await step("the engine", within(engine?.drain(), drainTimeoutMs * 0.35));
  await step("the edge", edge?.close(drainTimeoutMs * 0.15));
  await requests;
  await step("webhooks", webhooks?.worker?.stop(drainTimeoutMs * 0.15));
  verifier?.stop();
  await step("the store", within(store.close(), drainTimeoutMs * 0.2));
}
