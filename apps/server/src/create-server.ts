import { randomUUID } from "node:crypto";
import type { Server as HttpServer } from "node:http";
import {
  createTokens,
  createVerifier,
  type KeySetOptions,
  sessionsOf,
  type Tokens,
  type Verifier,
} from "@chat21/auth";
import { createEmbeddedEdge, type EmbeddedEdge, isMqttPath } from "@chat21/broker-embedded";
import { createEngine, type Edge, type Engine, type Metrics } from "@chat21/engine";
import type { WebhookSettings } from "@chat21/events";
import { createProvider } from "@chat21/http-api";
import { contactLimits, createContactDirectory } from "@chat21/people";
import {
  closeHttpServer,
  createDrain,
  createHttpServer,
  createOutgoingFetch,
  createPrometheusMetrics,
  createReloads,
  type Drain,
  listenOn,
  loadWebhookSettings,
  OperatorError,
  type Proxies,
  type Reloads,
  readProxies,
  readSigningKeys,
  readTlsMaterial,
  refuseOtherUpgrades,
  secretWeakness,
  setCertificate,
  systemClock,
  type TlsMaterial,
  urlHost,
  within,
} from "@chat21/runtime";
import type { SqliteStore } from "@chat21/store-sqlite";
import type { Express } from "express";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import type { Config } from "./config.ts";
import { dataPaths, fileSystemFault, prepareDataFolder } from "./data-folder.ts";
import { type DiskWatch, watchDisk } from "./disk-watch.ts";
import { edgeLimits, edgeListeners, webSocketPath } from "./edge-listeners.ts";
import { createHttpApp } from "./http-app.ts";
import { openStore } from "./open-store.ts";
import {
  ensureSignInKey,
  ensureTokenSecret,
  ensureWebhookSecret,
  findTokenSecret,
  readWebhookSecret,
} from "./secret.ts";
import { findWebFolder } from "./web-page.ts";
import { createWebhooks, newWebhookSecret, type Webhooks } from "./webhooks.ts";

const chosenBy = { host: "--host or CHAT21_HOST", port: "--http-port or CHAT21_HTTP_PORT" } as const;

/** Addresses of a server. */
export interface ServerAddresses {
  /** `http://…` or `https://…`, without a slash at the end: web page, REST, WebSocket. */
  readonly url: string;
  /** The web page's address for signing in by name; its end is the key. `null`: there is no such sign-in. */
  readonly signInUrl: string | null;
  /** `mqtt://…` or `mqtts://…`; `null` when there is no such listener. */
  readonly mqttUrl: string | null;
  /** WebSocket MQTT on the HTTP port. */
  readonly mqttWsUrl: string;
  /** WebSocket MQTT on a port of its own; `null` when there is no such listener. */
  readonly ownMqttWsUrl: string | null;
}

/** A server that serves. */
export interface Server {
  readonly addresses: ServerAddresses;
  readonly hasWebPage: boolean;
  /** Reads the certificate and the keys of tokens again from their files; see `Reloads.run`. */
  reload(): void;
  /** Drains: accepts nothing more, finishes what it accepted, closes everything. Within 10 s. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a server and resolves when it serves. Throws `OperatorError`, with what to do, for everything an operator can
 * put right; everything opened before is closed.
 */
export async function createServer(config: Config, log: Logger): Promise<Server> {
  const tls = config.tls === undefined ? undefined : readTlsMaterial(config.tls);
  const proxies = readProxies(config.proxies);
  const webhookSettings = loadWebhookSettings(config.webhooks);
  for (const { level, text } of webhookSettings.notices) log[level](text);
  prepareDataFolder(config.dataDir);
  const fault = await fileSystemFault(config.dataDir);
  if (fault !== undefined) log.warn(fault);
  const registry = new Registry();
  const metrics = createPrometheusMetrics(registry);
  const store = await openStore(config.dataDir, log, metrics);
  const disk = await watchDisk({
    ...{ folder: config.dataDir, reserveMiB: config.diskReserveMiB, clock: systemClock, log },
  });
  const drain = createDrain(log);
  drain.add("the disk's watch", 0, () => disk.stop());
  drain.add("the store", 0.2, (timeoutMs) => within(store.close(), timeoutMs));
  try {
    return await assemble({
      ...{ config, log, tls, webhookSettings: webhookSettings.settings, proxies },
      ...{ registry, metrics, store, disk, drain },
    });
  } catch (thrown) {
    await drain.close();
    throw thrown;
  }
}

/** The base on which a server is assembled. */
interface Groundwork {
  readonly config: Config;
  readonly log: Logger;
  readonly tls: TlsMaterial | undefined;
  readonly webhookSettings: WebhookSettings;
  readonly proxies: Proxies;
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly store: SqliteStore;
  readonly disk: DiskWatch;
  readonly drain: Drain;
}

async function assemble(ground: Groundwork): Promise<Server> {
  const { config, log, tls, webhookSettings, proxies, registry, metrics, store, drain } = ground;
  const clock = systemClock;
  const secret = ensureTokenSecret(config.dataDir, config.secret);
  const tokens = createTokens({
    ...readKeys(config, secret, log),
    ...{ clock, newId: randomUUID, acceptWithoutExp: config.tokensWithoutExp },
  });
  const verifier = createVerifier({
    ...{ tokens, revocations: store.revocations, clock, log },
    provider: createProvider(config.identityProvider, { proxies, clock, log }),
  });
  drain.add("the verifier", 0, verifier.stop);

  // The app needs the engine, the engine the edge, and the edge the server that the app is served by.
  let app: Express | undefined;
  const http = createHttpServer((request, response) => app?.(request, response), tls, config.pathPrefix);
  const edge = createEmbeddedEdge({
    listeners: edgeListeners(config, tls, http, () => app),
    limits: edgeLimits(config),
    ...{ log, metrics },
  });
  const webhooks = createWebhooks({
    settings: webhookSettings,
    ownSecret: () => ensureWebhookSecret(config.dataDir, newWebhookSecret),
    ownSecretAgain: () => readWebhookSecret(config.dataDir),
    ...{ allowLoopback: config.development, proxies },
    ...{ store: store.webhooks, clock, log, metrics },
  });
  const contacts = createContactDirectory({
    users: store.users,
    ...(config.contactsUrl === undefined ? {} : { endpoint: config.contactsUrl }),
    fetch: createOutgoingFetch({ proxies, connectTimeoutMs: contactLimits.timeoutMs }),
    ...{ clock, log },
  });
  const engine = createEngine({
    isStorageFull: ground.disk.isFull,
    ...{ store, edge, tokens: verifier, clock, newId: randomUUID, log, metrics, contacts },
    ...(webhooks.sink === null ? {} : { sinks: [webhooks.sink] }),
    ...(config.apps === undefined ? {} : { apps: config.apps }),
    rateLimits: config.rateLimits,
    messageRate: config.messageRate,
    groupsFromMessages: config.groupsFromMessages,
    presence: config.presence,
    presenceGraceMs: config.presenceGraceMs,
  });
  verifier.onRevocation((record) => void engine.handleRevocation(sessionsOf(record)));
  const webFolder = findWebFolder();
  const signInKey = config.signInByName ? ensureSignInKey(config.dataDir) : null;
  app = createHttpApp({
    config,
    signInKey,
    engine,
    store,
    tokens,
    verifier,
    webhooks,
    registry,
    log,
    webFolder,
  });

  await verifier.start();
  await engine.start();
  addServing(drain, { engine, webhooks, edge, http });
  await startEdge(() => edge.start(engine));
  refuseOtherUpgrades(http, (request) => isMqttPath(request, webSocketPath));
  const port = await listenOn(http, config.host, config.httpPort, chosenBy);
  webhooks.worker?.start();

  const [scheme, wsScheme] = tls === undefined ? ["http", "ws"] : ["https", "wss"];
  const host = urlHost(config.host);
  const url = `${scheme}://${host}:${port}`;
  return {
    addresses: {
      url,
      signInUrl: signInKey === null ? null : `${url}/#key=${signInKey}`,
      mqttWsUrl: `${wsScheme}://${host}:${port}${webSocketPath}`,
      mqttUrl: edge.addresses.find(({ kind }) => kind === "tcp")?.url ?? null,
      ownMqttWsUrl: edge.addresses.find(({ kind }) => kind === "ws")?.url ?? null,
    },
    hasWebPage: webFolder !== undefined,
    reload: createServerReloads(ground, { tokens, verifier, http, edge, webhooks }).run,
    close: drain.close,
  };
}

/** The parts that accept work, and those that finish it. */
interface ServingParts {
  readonly webhooks: Webhooks;
  readonly edge: Edge;
  readonly engine: Engine;
  readonly http: HttpServer;
}

/**
 * The part added last stops first: no more connections and requests, accepted work is committed and acknowledged,
 * webhooks under way come to an end. Requests end while the engine drains; WebSockets of their listener end with the
 * edge.
 */
function addServing(drain: Drain, { webhooks, edge, engine, http }: ServingParts): void {
  let requests: Promise<void> | undefined;
  drain.add("webhooks", 0.15, (timeoutMs) => webhooks.worker?.stop(timeoutMs));
  drain.add("HTTP", 0, () => requests);
  drain.add("the edge", 0.15, (timeoutMs) => edge.close(timeoutMs));
  drain.add("the engine", 0.35, (timeoutMs) => within(engine.drain(), timeoutMs));
  drain.add("HTTP", 0.35, (timeoutMs) => {
    if (http.listening) requests = closeHttpServer(http, timeoutMs);
  });
}

function createServerReloads(
  { config, log, metrics }: Groundwork,
  { tokens, verifier, http, edge, webhooks }: ReloadedParts,
): Reloads {
  const reloads = createReloads(log, metrics);
  const { tls, dataDir } = config;
  if (tls !== undefined) {
    reloads.add("the certificate", () => {
      const material = readTlsMaterial(tls);
      setCertificate(http, material);
      edge.setTls(material);
    });
  }
  reloads.add("the keys of tokens", () => {
    const secret = findTokenSecret(dataDir, config.secret);
    if (secret === undefined) throw new OperatorError(`${dataPaths(dataDir).secret}: is missing`);
    tokens.replaceKeys(readKeys(config, secret, log));
    verifier.forget();
  });
  if (webhooks.reloadSecrets !== null) reloads.add("the secrets of webhooks", webhooks.reloadSecrets);
  return reloads;
}

/** The parts that use a certificate, the keys of tokens, or the secrets of webhooks. */
interface ReloadedParts {
  readonly tokens: Tokens;
  readonly verifier: Verifier;
  readonly http: HttpServer;
  readonly edge: EmbeddedEdge;
  readonly webhooks: Webhooks;
}

function readKeys({ keysDir }: Config, secret: string, log: Logger): KeySetOptions {
  const es256 = keysDir === undefined ? [] : readSigningKeys("CHAT21_JWT_KEYS_DIR", keysDir);
  const weakness = secretWeakness(secret);
  if (weakness !== undefined)
    log.warn(`the secret that signs tokens is weak: ${weakness}; set CHAT21_JWT_SECRET`);
  return { secret, es256 };
}

/** The edge's errors about listening say what to do; this adds the names of the settings for the operator. */
async function startEdge(start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError(`MQTT: ${message} (CHAT21_MQTT_PORT, CHAT21_MQTT_WS_PORT, CHAT21_HOST)`, {
      cause,
    });
  }
}
