import { randomUUID } from "node:crypto";
import { type AmqpEdge, createAmqpEdge } from "@chat21/broker-amqp";
import type { TokenVerifier } from "@chat21/engine";
import { createOriginalTakeOver } from "@chat21/original";
import { ChatError } from "@chat21/protocol";
import {
  type ClusterGround,
  createClusterEngine,
  reportBroker,
  startClusterService,
  startOnBroker,
  systemClock,
  within,
} from "@chat21/runtime";
import {
  connectMongoStore,
  type MongoStore,
  type MongoStoreOptions,
  migrateMongoStore,
} from "@chat21/store-mongo";
import type { Logger } from "pino";
import type { ObserverConfig } from "./config.ts";
import { measurePartitions } from "./measure-partitions.ts";

/** An observer that takes its share of the messages. */
export interface Observer {
  readonly addresses: { readonly metricsUrl: string };
  /** Partitions that are consumed here now, ascending. */
  readonly partitions: readonly number[];
  /** Reads files again; see `Reloads.run`. */
  reload(): void;
  /**
   * Drains: takes nothing more, finishes and acknowledges the messages that it took, hands its partitions over. Within
   * 10 s. Idempotent.
   */
  close(): Promise<void>;
}

/** Nobody connects to an observer: the broker has the clients, and has verified who they are. */
const noTokens: TokenVerifier = { verify: () => Promise.reject(new ChatError("unauthorized")) };

/**
 * Starts an observer and resolves when it takes messages. Health is served from the beginning: `/readyz` says what is
 * missing. Throws `OperatorError`, with what to do, for everything an operator can put right; everything opened before
 * is closed.
 */
export function createObserver(config: ObserverConfig, log: Logger): Promise<Observer> {
  const database = {
    migrate: migrateMongoStore,
    connect: (options: MongoStoreOptions) => connectMongoStore({ ...options, dispatchMarks: "event" }),
  };
  const listener = { port: config.metricsPort, variable: "METRICS_PORT" };
  return startClusterService({ config, database, listener, log }, async (ground) => {
    const edge = await startEngine(ground, config, log);
    measurePartitions(ground.registry, edge);
    return {
      addresses: { metricsUrl: `${ground.url}/metrics` },
      get partitions() {
        return edge.partitions;
      },
      reload: ground.reloads.run,
      close: ground.drain.close,
    };
  });
}

/** The engine on the broker's edge. */
async function startEngine(
  ground: ClusterGround<MongoStore>,
  config: ObserverConfig,
  log: Logger,
): Promise<AmqpEdge> {
  const { store, metrics, drain } = ground;
  const { rabbitUri: uri, apps, prefetch, queueType, webhooks, keepOriginalQueues } = config;
  const holder = `observer-${randomUUID()}`;
  const connectTimeoutMs = config.startTimeoutMs;
  const original = createOriginalTakeOver({
    ...{ store, webhooks, clock: systemClock, log, apps, keepsQueues: keepOriginalQueues },
  });
  const edge = createAmqpEdge({
    ...{
      uri,
      holder,
      network: store.epoch,
      leases: store.leases,
      apps,
      prefetch,
      queueType,
      connectTimeoutMs,
      log,
      metrics,
    },
    beforeConsuming: original.take,
  });
  const { presenceGraceMs } = config;
  const engine = createClusterEngine({
    ...{ config, holder, store, edge, tokens: noTokens, log, metrics, presenceGraceMs },
  });
  drain.add("the engine", 0.1, (timeoutMs) => within(engine.drain(), timeoutMs));
  // The edge stops first: it takes nothing more, acknowledges committed messages, and hands the partitions over. With a
  // broker that hangs, closing both connections takes twice this time and a second more.
  drain.add("the edge", 0.3, (timeoutMs) => edge.close(timeoutMs));
  reportBroker(ground, { engine, edge });
  await startOnBroker(engine, edge);
  original.report();
  return edge;
}
