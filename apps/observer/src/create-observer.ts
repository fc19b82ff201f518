import { randomUUID } from "node:crypto";
import { type AmqpEdge, createAmqpEdge } from "@chat21/broker-amqp";
import type { Metrics, TokenVerifier } from "@chat21/engine";
import { createOriginalTakeOver } from "@chat21/original";
import { ChatError } from "@chat21/protocol";
import {
  brokerHealth,
  connectClusterStore,
  createClusterEngine,
  createHttpServer,
  createPrometheusMetrics,
  listenOn,
  operationsListener,
  startOnBroker,
  systemClock,
  urlHost,
  watchStore,
} from "@chat21/runtime";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "@chat21/store-mongo";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import type { ObserverConfig } from "./config.ts";
import { type DrainParts, drain } from "./drain.ts";
import { measureBroker } from "./measure-broker.ts";

/** An observer that takes its share of the messages. */
export interface Observer {
  readonly addresses: { readonly metricsUrl: string };
  /** Partitions that are consumed here now, ascending. */
  readonly partitions: readonly number[];
  /**
   * Drains: takes nothing more, finishes and acknowledges what it took, hands its partitions over. Within 10 s.
   * Idempotent.
   */
  close(): Promise<void>;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const mongo = { migrate: migrateMongoStore, connect: connectMongoStore };

const chosenBy = { host: "CHAT21_HOST", port: "METRICS_PORT" } as const;

/** Nobody connects to an observer: the broker has the clients, and has verified who they are. */
const noTokens: TokenVerifier = { verify: () => Promise.reject(new ChatError("unauthorized")) };

/**
 * Starts an observer and resolves when it takes messages. Health is served from the beginning: `/readyz` says what is
 * missing. Throws `OperatorError`, with what to do, for everything an operator can put right; whatever was opened until
 * then is closed.
 */
export async function createObserver(config: ObserverConfig, log: Logger): Promise<Observer> {
  const registry = new Registry();
  const metrics = createPrometheusMetrics(registry);
  const parts: Mutable<DrainParts> = { log };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= drain(parts);
    return closing;
  };
  const health = () =>
    closing === undefined ? brokerHealth(parts) : { ready: false, reason: "shutting_down" };
  parts.http = createHttpServer(
    operationsListener({ health, registry, metricsToken: config.metricsToken }),
    undefined,
  );
  try {
    const port = await listenOn(parts.http, config.host, config.metricsPort, chosenBy);
    const store = await connectClusterStore(config, log, mongo);
    Object.assign(parts, { store, watch: watchStore({ store, clock: systemClock, log }) });
    const edge = await startEngine({ config, store, metrics, log }, parts);
    measureBroker(registry, edge);
    return {
      addresses: { metricsUrl: `http://${urlHost(config.host)}:${port}/metrics` },
      get partitions() {
        return edge.partitions;
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

interface EngineParts {
  readonly config: ObserverConfig;
  readonly store: MongoStore;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The engine on the broker's edge; both are drained from then on. */
async function startEngine(
  { config, store, metrics, log }: EngineParts,
  parts: Mutable<DrainParts>,
): Promise<AmqpEdge> {
  const { rabbitUri: uri, apps, prefetch, queueType, webhooks, keepOriginalQueues } = config;
  const holder = `observer-${randomUUID()}`;
  const connectTimeoutMs = config.startTimeoutMs;
  const original = createOriginalTakeOver({
    ...{ store, webhooks, clock: systemClock, log, apps, keepsQueues: keepOriginalQueues },
  });
  const edge = createAmqpEdge({
    ...{ uri, holder, leases: store.leases, apps, prefetch, queueType, connectTimeoutMs, log, metrics },
    beforeConsuming: original.take,
  });
  const engine = createClusterEngine({ config, holder, store, edge, tokens: noTokens, log, metrics });
  Object.assign(parts, { engine, edge });
  await startOnBroker(engine, edge);
  original.report();
  return edge;
}
