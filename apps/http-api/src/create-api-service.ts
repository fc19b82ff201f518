import { randomUUID } from "node:crypto";
import type { Verifier } from "@chat21/auth";
import { type AmqpEdge, createAmqpEdge, createConnectionCloser } from "@chat21/broker-amqp";
import type { Engine } from "@chat21/engine";
import {
  type ClusterGround,
  createClusterEngine,
  operatorPath,
  reportBroker,
  startClusterService,
  startOnBroker,
  systemClock,
  within,
} from "@chat21/runtime";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "@chat21/store-mongo";
import express from "express";
import type { Logger } from "pino";
import { createAuthority } from "./authority.ts";
import type { ApiConfig } from "./config.ts";
import { createHttpApi } from "./create-http-api.ts";
import { httpApiConfigOf } from "./http-api-config.ts";
import { operatorApi } from "./operator-api.ts";
import { recordedWebhooks } from "./recorded-webhooks.ts";
import { createCallers } from "./verify-caller.ts";

/** The API as a process of its own. */
export interface ApiService {
  readonly addresses: {
    /** `http://…` or `https://…`, with the base path. */
    readonly apiUrl: string;
    readonly metricsUrl: string;
  };
  /** Reads the certificate and the ES256 keys again from their files; see `Reloads.run`. */
  reload(): void;
  /** Drains: accepts nothing more, finishes what it accepted, closes everything. Within 10 s. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the API and resolves when it serves. Throws `OperatorError`, with what to do, for everything an operator can
 * put right; everything opened before is closed.
 */
export function createApiService(config: ApiConfig, log: Logger): Promise<ApiService> {
  const database = { migrate: migrateMongoStore, connect: connectMongoStore };
  const listener = {
    port: config.httpPort,
    variable: "CHAT21_HTTP_PORT",
    tls: config.tls,
    otherwise: 503,
  } as const;
  return startClusterService({ config, database, listener, log }, async (ground) => {
    const { url, store, registry, drain, reloads, health } = ground;
    const { tokens, verifier } = createAuthority(ground, config, log);
    const { engine, edge } = await startEngine(ground, { config, verifier, log });
    await verifier.start();
    // From here on only: connections of tokens that were revoked before this process began are closed already.
    closeRevoked(verifier, config, log);
    const apiConfig = httpApiConfigOf(config);
    const { rateLimits } = apiConfig;
    const callers = createCallers({ verifier, keys: store.serverKeys, rateLimits, clock: systemClock, log });
    const api = createHttpApi({
      ...{ engine, store, tokens, ...callers, clock: systemClock, log, registry, health },
      config: apiConfig,
    });
    const { webhooks: settings } = config;
    const webhooks = recordedWebhooks({ settings, store: store.webhooks, clock: systemClock });
    const app = express().disable("x-powered-by").set("trust proxy", config.trustProxy);
    app.use(operatorPath, operatorApi({ engine, store, ...callers, webhooks, log }));
    ground.serve(app.use(api));
    reportBroker(ground, { engine, edge });
    return {
      addresses: { apiUrl: `${url}${config.basePath}`, metricsUrl: `${url}/metrics` },
      reload: reloads.run,
      close: drain.close,
    };
  });
}

/** RabbitMQ does not check whether a token was revoked, so this closes the open connections of revoked tokens. */
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
  readonly verifier: Verifier;
  readonly log: Logger;
}

/**
 * The engine on an edge that publishes, and takes nothing from clients. Messages of requests are delivered before it
 * ends.
 */
async function startEngine(
  { store, metrics, drain }: ClusterGround<MongoStore>,
  { config, verifier, log }: EngineParts,
): Promise<{ readonly engine: Engine; readonly edge: AmqpEdge }> {
  const { rabbitUri: uri, startTimeoutMs: connectTimeoutMs } = config;
  const holder = `api-${randomUUID()}`;
  const edge = createAmqpEdge({ uri, holder, network: store.epoch, connectTimeoutMs, log, metrics });
  const engine = createClusterEngine({ config, holder, store, edge, tokens: verifier, log, metrics });
  drain.add("the edge", 0.2, (timeoutMs) => edge.close(timeoutMs));
  drain.add("the engine", 0.15, (timeoutMs) => within(engine.drain(), timeoutMs));
  await startOnBroker(engine, edge);
  return { engine, edge };
}
