import { randomUUID } from "node:crypto";
import { type AmqpEdge, createAmqpEdge } from "@chat21/broker-amqp";
import { createEngine, type Engine, type Metrics, type TokenVerifier } from "@chat21/engine";
import { createBackendEvents, webhookSinks } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import {
  combineHealth,
  connectPatiently,
  createContactDirectory,
  createHttpServer,
  createPrometheusMetrics,
  type Health,
  listenOn,
  operationsListener,
  systemClock,
  uriLabel,
  urlHost,
  watchStore,
} from "@chat21/runtime";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "@chat21/store-mongo";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import { createLegacyAdopter } from "./adopt-legacy.ts";
import { brokerFailure } from "./broker-failure.ts";
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

/** One look for a primary at start, so that it is soon said what is waited for. */
const attemptMs = 2_000;

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
  const health = () => (closing === undefined ? healthOf(parts) : { ready: false, reason: "shutting_down" });
  parts.http = createHttpServer(
    operationsListener({ health, registry, metricsToken: config.metricsToken }),
    undefined,
  );
  try {
    const port = await listenOn(parts.http, config.host, config.metricsPort, chosenBy);
    const store = await connectStore(config, log);
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

function healthOf({ watch, engine, edge }: DrainParts): Health {
  if (watch === undefined || engine === undefined || edge === undefined) {
    return { ready: false, reason: "starting" };
  }
  const broker = edge.ready ? { ready: true, reason: "ok" } : { ready: false, reason: "broker_unavailable" };
  return combineHealth(watch.health(), engine.health(), broker);
}

function connectStore(config: ObserverConfig, log: Logger): Promise<MongoStore> {
  const { mongoUri: uri, migrate, startTimeoutMs: timeoutMs } = config;
  return connectPatiently({
    ...{ what: `MongoDB at ${uriLabel(uri)}`, variable: "MONGODB_URI", timeoutMs, log },
    async connect() {
      if (migrate) await migrateMongoStore({ uri, log, serverSelectionTimeoutMs: attemptMs });
      return connectMongoStore({ uri, log });
    },
  });
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
  const { rabbitUri: uri, apps, prefetch, queueType, webhooks, contactsUrl, messageRate } = config;
  const clock = systemClock;
  const holder = `observer-${randomUUID()}`;
  const { leases, redeliveries } = store;
  const connectTimeoutMs = config.startTimeoutMs;
  const legacy = createLegacyAdopter({ store, webhooks, clock, log });
  const edge = createAmqpEdge({
    ...{ uri, holder, leases, apps, prefetch, queueType, connectTimeoutMs, log, metrics },
    keepLegacyQueues: config.keepLegacyQueues,
    ...{ onLegacyPersist: legacy.onLegacyPersist, onLegacyWebhook: legacy.onLegacyWebhook },
  });
  const contacts = createContactDirectory({
    ...{ users: store.users, clock, log },
    ...(contactsUrl === undefined ? {} : { endpoint: contactsUrl }),
  });
  const sinks = [
    ...webhookSinks({ settings: webhooks, store: store.webhooks, clock }),
    ...(config.events.length > 0 ? [edge.eventSink(createBackendEvents(config.events, clock))] : []),
  ];
  const engine: Engine = createEngine({
    ...{ store, edge, tokens: noTokens, clock, newId: randomUUID, log, metrics, contacts, sinks },
    presence: config.presence,
    shared: { holder, leases, redeliveries, invalidations: edge.invalidations },
    ...(apps === undefined ? {} : { apps }),
    ...(messageRate === undefined ? {} : { messageRate }),
  });
  Object.assign(parts, { engine, edge });
  await engine.start();
  try {
    await edge.start(engine);
    legacy.report();
  } catch (cause) {
    throw brokerFailure(cause);
  }
  return edge;
}
