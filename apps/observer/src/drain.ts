import type { Server as HttpServer } from "node:http";
import type { AmqpEdge } from "@chat21/broker-amqp";
import type { Engine, Log, Store } from "@chat21/engine";
import { closeHttpServer, createDrainStep, drainTimeoutMs, type StoreWatch, within } from "@chat21/runtime";

/** What is stopped, as far as it was started. */
export interface DrainParts {
  readonly http?: HttpServer;
  readonly store?: Store;
  readonly watch?: StoreWatch;
  readonly engine?: Engine;
  readonly edge?: AmqpEdge;
  readonly log: Log;
}

/**
 * Stops everything in the order in which nothing is lost: nothing more is taken, what was taken is committed, delivered,
 * acknowledged, the partitions are handed over, and the store is closed last but for the listener that tells of it. What
 * hangs is cut off in time, so that the whole stays below `drainTimeoutMs`.
 */
export async function drain({ http, store, watch, engine, edge, log }: DrainParts): Promise<void> {
  const step = createDrainStep(log);
  // A broker that hangs has it wait twice as long, and a second more, for the ends of both connections.
  await step("the edge", edge?.close(drainTimeoutMs * 0.3));
  await step("the engine", within(engine?.drain(), drainTimeoutMs * 0.1));
  watch?.stop();
  await step("the store", within(store?.close(), drainTimeoutMs * 0.1));
  await step("HTTP", http?.listening === true ? closeHttpServer(http, drainTimeoutMs * 0.05) : undefined);
}
