import { randomUUID } from "node:crypto";
import { sessionsOf, type Verifier } from "@chat21/auth";
import { createNodeEdge, type NodeEdge } from "@chat21/broker-amqp";
import { createEmbeddedEdge, type EmbeddedEdge, isMqttPath } from "@chat21/broker-embedded";
import type { Engine } from "@chat21/engine";
import {
  createAuthority,
  createCallers,
  createHttpApi,
  httpApiConfigOf,
  operatorApi,
  recordedWebhooks,
} from "@chat21/http-api";
import {
  type ClusterGround,
  createClusterEngine,
  operatorPath,
  readTlsMaterial,
  refuseOtherUpgrades,
  reportBroker,
  startClusterService,
  startOnBroker,
  systemClock,
  within,
} from "@chat21/runtime";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "@chat21/store-mongo";
import { startSharedWorker } from "@chat21/webhooks";
import type { Express } from "express";
import type { Logger } from "pino";
import { edgeLimits, edgeListeners, webSocketPath } from "../edge-listeners.ts";
import { createPageApp } from "../page-app.ts";
import { findWebFolder } from "../web-page.ts";
import type { NodeConfig } from "./config.ts";

/** One of several processes that each do the whole work, on one RabbitMQ and one MongoDB. */
export interface Node {
  readonly addresses: {
    /** `http://…` or `https://…`: web page and REST. */
    readonly url: string;
    /** WebSocket MQTT on the HTTP port. */
    readonly mqttWsUrl: string;
    /** `mqtt://…` or `mqtts://…`; `null` when there is no such listener. */
    readonly mqttUrl: string | null;
    /** WebSocket MQTT on a port of its own; `null` when there is no such listener. */
    readonly ownMqttWsUrl: string | null;
    readonly metricsUrl: string;
  };
  /** The other nodes that this one delivers to, by the names of their queues. */
  readonly peers: readonly string[];
  /** Reads the certificate and the ES256 keys again from their files; see `Reloads.run`. */
  reload(): void;
  /** Drains: accepts nothing more, finishes what it accepted, closes everything. Within 10 s. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a node and resolves when it serves. Throws `OperatorError`, with what to do, for everything an operator can
 * put right; everything opened before is closed.
 */
export function createNode(config: NodeConfig, log: Logger): Promise<Node> {
  const database = { migrate: migrateMongoStore, connect: connectMongoStore };
  const listener = {
    port: config.httpPort,
    variable: "CHAT21_HTTP_PORT",
    tls: config.tls,
    otherwise: 503,
  } as const;
  return startClusterService({ config, database, listener, log }, (ground) => startNode(ground, config, log));
}

async function startNode(ground: ClusterGround<MongoStore>, config: NodeConfig, log: Logger): Promise<Node> {
  const { url, http, store, registry, metrics, drain, reloads, health } = ground;
  const { tokens, verifier } = createAuthority(ground, config, log);
  let app: Express | undefined;
  const tls = config.tls === undefined ? undefined : readTlsMaterial(config.tls);
  const clients = createEmbeddedEdge({
    listeners: edgeListeners(config, tls, http, () => app),
    limits: edgeLimits(config),
    ...{ log, metrics },
  });
  const { edge, engine } = createEngineOn(ground, { config, verifier, clients, log });
  const worker = startSharedWorker({
    ...{ settings: config.webhooks, proxies: config.proxies, store: store.webhooks, metrics, log, reloads },
  });
  if (worker !== undefined) {
    drain.add("webhooks", 0.15, (timeoutMs) => worker.stop(timeoutMs));
    drain.add("looking for webhooks", 0, worker.stopLooking);
  }
  drain.add("the engine", 0.2, (timeoutMs) => within(engine.drain(), timeoutMs));
  // It stops first: what clients have sent is committed, acknowledged and delivered before the engine ends.
  drain.add("the edge", 0.25, (timeoutMs) => edge.close(timeoutMs));
  const { tls: files } = config;
  if (files !== undefined)
    reloads.add("the certificate of MQTT", () => clients.setTls(readTlsMaterial(files)));

  await verifier.start();
  await startOnBroker(engine, edge);
  refuseOtherUpgrades(http, (request) => isMqttPath(request, webSocketPath));
  const apiConfig = httpApiConfigOf(config);
  const { rateLimits } = apiConfig;
  const callers = createCallers({ verifier, keys: store.serverKeys, rateLimits, clock: systemClock, log });
  const api = createHttpApi({
    ...{ engine, store, tokens, ...callers, clock: systemClock, log, registry, health },
    config: apiConfig,
  });
  const webhooks = recordedWebhooks({ settings: config.webhooks, store: store.webhooks, clock: systemClock });
  app = createPageApp({
    api,
    paths: { [operatorPath]: operatorApi({ engine, store, ...callers, webhooks, log }) },
    trustProxy: config.trustProxy,
    webFolder: findWebFolder(),
    isTls: tls !== undefined,
  });
  ground.serve(app);
  reportBroker(ground, { engine, edge });
  return {
    addresses: {
      url,
      mqttWsUrl: `${url.replace(/^http/, "ws")}${webSocketPath}`,
      mqttUrl: clients.addresses.find(({ kind }) => kind === "tcp")?.url ?? null,
      ownMqttWsUrl: clients.addresses.find(({ kind }) => kind === "ws")?.url ?? null,
      metricsUrl: `${url}/metrics`,
    },
    get peers() {
      return edge.peers;
    },
    reload: reloads.run,
    close: drain.close,
  };
}

interface EngineParts {
  readonly config: NodeConfig;
  readonly verifier: Verifier;
  /** Where this node's clients connect. */
  readonly clients: EmbeddedEdge;
  readonly log: Logger;
}

function createEngineOn(
  { store, metrics }: ClusterGround<MongoStore>,
  { config, verifier, clients, log }: EngineParts,
): { readonly edge: NodeEdge; readonly engine: Engine } {
  const { rabbitUri: uri, startTimeoutMs: connectTimeoutMs, presenceGraceMs } = config;
  const holder = `node-${randomUUID()}`;
  const edge = createNodeEdge({
    ...{ uri, holder, network: store.epoch, local: clients, connectTimeoutMs, log, metrics },
  });
  const engine = createClusterEngine({
    ...{ config, holder, store, edge, tokens: verifier, log, metrics, presenceGraceMs },
  });
  verifier.onRevocation((record) => void engine.handleRevocation(sessionsOf(record)));
  return { edge, engine };
}
