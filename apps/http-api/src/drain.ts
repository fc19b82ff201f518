import type { Server as HttpServer } from "node:http";
import type { Verifier } from "@chat21/auth";
import type { AmqpEdge } from "@chat21/broker-amqp";
import type { Engine, Log, Store } from "@chat21/engine";
import { closeHttpServer, createDrainStep, drainTimeoutMs, type StoreWatch, within } from "@chat21/runtime";

/** What is stopped, as far as it was started. */
export interface DrainParts {
  readonly http?: HttpServer;
  readonly store?: Store;
  readonly watch?: StoreWatch;
  readonly verifier?: Verifier;
  readonly engine?: Engine;
  readonly edge?: AmqpEdge;
  readonly log: Log;
}

/**
 * Stops everything in the order in which nothing is lost: no more requests, those under way come to an end, what they
 * wrote is delivered, and the store is closed last. What hangs is cut off in time.
 */
export async function drain(parts: DrainParts): Promise<void> {
  const { http, store, watch, verifier, engine, edge, log } = parts;
  const step = createDrainStep(log);
  const requests = http?.listening === true ? closeHttpServer(http, drainTimeoutMs * 0.35) : undefined;
  await step("HTTP", requests);
  await step("the engine", within(engine?.drain(), drainTimeoutMs * 0.15));
  await step("the edge", edge?.close(drainTimeoutMs * 0.2));
  verifier?.stop();
  watch?.stop();
  await step("the store", within(store?.close(), drainTimeoutMs * 0.1));
}
