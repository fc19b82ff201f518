import { randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import { createTokens, createVerifier, type Tokens, type Verifier } from "@chat21/auth";
import { createAmqpEdge, createConnectionCloser } from "@chat21/broker-amqp";
import type { Engine, Metrics } from "@chat21/engine";
import {
  brokerHealth,
  connectClusterStore,
  createClusterEngine,
  createHttpServer,
  createPrometheusMetrics,
  type Health,
  listenOn,
  operationsListener,
  readSigningKeys,
  readTlsMaterial,
  startOnBroker,
  systemClock,
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

const mongo = { migrate: migrateMongoStore, connect: connectMongoStore };

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
    return app === undefined ? { ready: false, reason: "starting" } : brokerHealth(parts);
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
  const store = await connectClusterStore(config, log, mongo);
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

function apiConfigOf({ basePath, apps, metricsToken, trustProxy, requestsPerMinute }: ApiConfig) {
  return {
    ...{ basePath, trustProxy },
    apps: apps ?? null,
    metricsToken: metricsToken ?? null,
    rateLimits: { ...httpApiDefaults.rateLimits, requests: requestsPerMinute },
  };
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
): Promise<Engine> {
  const { rabbitUri: uri, startTimeoutMs: connectTimeoutMs } = config;
  const holder = `api-${randomUUID()}`;
  const edge = createAmqpEdge({ uri, holder, connectTimeoutMs, log, metrics });
  const engine = createClusterEngine({ config, holder, store, edge, tokens: verifier, log, metrics });
  Object.assign(parts, { engine, edge });
  await startOnBroker(engine, edge);
  return engine;
}
