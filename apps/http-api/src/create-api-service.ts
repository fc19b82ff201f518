import { randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import { createTokens, createVerifier, type Tokens, type Verifier } from "@chat21/auth";
import { createAmqpEdge, createConnectionCloser } from "@chat21/broker-amqp";
import { createEngine, type Metrics } from "@chat21/engine";
import { createBackendEvents, webhookSinks } from "@chat21/events";
import {
  combineHealth,
  connectPatiently,
  createContactDirectory,
  createHttpServer,
  createPrometheusMetrics,
  type Health,
  listenOn,
  OperatorError,
  operationsListener,
  readSigningKeys,
  readTlsMaterial,
  systemClock,
  uriLabel,
  urlHost,
  watchStore,
} from "@chat21/runtime";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "@chat21/store-mongo";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import type { ApiConfig } from "./config.ts";
import { createHttpApi } from "./create-http-api.ts";
import { type DrainParts, drain } from "./drain.ts";
import { httpApiDefaults } from "./http-api-config.ts";

/** The API as a process of its own. */
export interface ApiService {
  readonly addresses: {
    /** `http://…` or `https://…`, with the base path. */
    readonly apiUrl: string;
    readonly metricsUrl: string;
  };
  /** Drains: accepts nothing more, finishes what it accepted, closes everything. Within 10 s. Idempotent. */
  close(): Promise<void>;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** One look for a primary at start, so that it is soon said what is waited for. */
const attemptMs = 2_000;

const chosenBy = { host: "CHAT21_HOST", port: "CHAT21_HTTP_PORT" } as const;

/**
 * Starts the API and resolves when it serves. Throws `OperatorError`, with what to do, for everything an operator can put
 * right; whatever was opened until then is closed.
 */
export async function createApiService(config: ApiConfig, log: Logger): Promise<ApiService> {
  const tls = config.tls === undefined ? undefined : readTlsMaterial(config.tls);
  const registry = new Registry();
  const metrics = createPrometheusMetrics(registry);
  const parts: Mutable<DrainParts> = { log };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= drain(parts);
    return closing;
  };
  let app: RequestListener | undefined;
  const health = (): Health => {
    if (closing !== undefined) return { ready: false, reason: "shutting_down" };
    return app === undefined ? { ready: false, reason: "starting" } : healthOf(parts);
  };
  const { metricsToken } = config;
  const starting = operationsListener({ health, registry, metricsToken, otherwise: 503 });
  parts.http = createHttpServer((request, response) => (app ?? starting)(request, response), tls);
  try {
    const port = await listenOn(parts.http, config.host, config.httpPort, chosenBy);
    app = await startApp({ config, metrics, registry, log, health }, parts);
    const url = `${tls === undefined ? "http" : "https"}://${urlHost(config.host)}:${port}`;
    return { addresses: { apiUrl: `${url}${config.basePath}`, metricsUrl: `${url}/metrics` }, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

interface Groundwork {
  readonly config: ApiConfig;
  readonly metrics: Metrics;
  readonly registry: Registry;
  readonly log: Logger;
  readonly health: () => Health;
}

/** Connects, and makes the app of what is connected then. */
async function startApp(
  { config, metrics, registry, log, health }: Groundwork,
  parts: Mutable<DrainParts>,
): Promise<RequestListener> {
  const store = await connectStore(config, log);
  parts.store = store;
  parts.watch = watchStore({ store, clock: systemClock, log });
  const { tokens, verifier } = createAuthority(config, store);
  parts.verifier = verifier;
  const engine = await startEngine({ config, store, verifier, metrics, log }, parts);
  await verifier.start();
  // From here on: what was revoked before this process began has had its connections closed.
  closeRevoked(verifier, config, log);
  return createHttpApi({
    ...{ engine, store, tokens, verifier, clock: systemClock, log, registry, health },
    config: apiConfigOf(config),
  });
}

function healthOf({ watch, engine, edge }: DrainParts): Health {
  if (watch === undefined || engine === undefined || edge === undefined) {
    return { ready: false, reason: "starting" };
  }
  const broker = edge.ready ? { ready: true, reason: "ok" } : { ready: false, reason: "broker_unavailable" };
  return combineHealth(watch.health(), engine.health(), broker);
}

function apiConfigOf({ basePath, apps, metricsToken, trustProxy, requestsPerMinute }: ApiConfig) {
  return {
    ...{ basePath, trustProxy },
    apps: apps ?? null,
    metricsToken: metricsToken ?? null,
    rateLimits: { ...httpApiDefaults.rateLimits, requests: requestsPerMinute },
  };
}

function connectStore(config: ApiConfig, log: Logger): Promise<MongoStore> {
  const { mongoUri: uri, migrate, startTimeoutMs: timeoutMs } = config;
  return connectPatiently({
    ...{ what: `MongoDB at ${uriLabel(uri)}`, variable: "MONGODB_URI", timeoutMs, log },
    async connect() {
      if (migrate) await migrateMongoStore({ uri, log, serverSelectionTimeoutMs: attemptMs });
      return connectMongoStore({ uri, log });
    },
  });
}

function createAuthority(
  { secret, keysDir }: ApiConfig,
  { revocations }: MongoStore,
): { readonly tokens: Tokens; readonly verifier: Verifier } {
  const es256 = keysDir === undefined ? [] : readSigningKeys("CHAT21_JWT_KEYS_DIR", keysDir);
  const tokens = createTokens({ secret, es256, clock: systemClock, newId: randomUUID });
  return { tokens, verifier: createVerifier({ tokens, revocations, clock: systemClock }) };
}

/** RabbitMQ asks nobody whether a token was revoked: connections that are open are closed for it. */
function closeRevoked(verifier: Verifier, { managementUri: uri }: ApiConfig, log: Logger): void {
  if (uri === undefined) {
    log.info(
      "RABBITMQ_MANAGEMENT_URI is not set: connections of revoked tokens stay until they end by themselves",
    );
    return;
  }
  const closer = createConnectionCloser({ uri, log });
  verifier.onRevocation(({ app, user }) => void closer.close({ app, user }));
}

interface EngineParts {
  readonly config: ApiConfig;
  readonly store: MongoStore;
  readonly verifier: Verifier;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The engine on an edge that publishes, and takes nothing from clients; both are drained from then on. */
async function startEngine(
  { config, store, verifier, metrics, log }: EngineParts,
  parts: Mutable<DrainParts>,
) {
  const { rabbitUri: uri, apps, webhooks, contactsUrl, messageRate, startTimeoutMs } = config;
  const clock = systemClock;
  const holder = `api-${randomUUID()}`;
  const edge = createAmqpEdge({ uri, holder, connectTimeoutMs: startTimeoutMs, log, metrics });
  const contacts = createContactDirectory({
    ...{ users: store.users, clock, log },
    ...(contactsUrl === undefined ? {} : { endpoint: contactsUrl }),
  });
  const sinks = [
    ...webhookSinks({ settings: webhooks, store: store.webhooks, clock }),
    ...(config.events.length > 0 ? [edge.eventSink(createBackendEvents(config.events, clock))] : []),
  ];
  const { leases, redeliveries } = store;
  const engine = createEngine({
    ...{ store, edge, tokens: verifier, clock, newId: randomUUID, log, metrics, contacts, sinks },
    presence: config.presence,
    shared: { holder, leases, redeliveries, invalidations: edge.invalidations },
    ...(apps === undefined ? {} : { apps }),
    ...(messageRate === undefined ? {} : { messageRate }),
  });
  Object.assign(parts, { engine, edge });
  await engine.start();
  try {
    await edge.start(engine);
  } catch (cause) {
    const why = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ");
    throw new OperatorError(`RabbitMQ: ${why}; check RABBITMQ_URI`, { cause });
  }
  return engine;
}
