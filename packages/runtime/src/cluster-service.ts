import type { RequestListener, Server } from "node:http";
import type { Log, Metrics } from "@chat21/engine";
import type { UserStore } from "@chat21/people";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import type { ClusterConfig } from "./cluster-config.ts";
import { connectPatiently, uriLabel } from "./connect-patiently.ts";
import { createDrain, type Drain, within } from "./drain.ts";
import type { Health } from "./health.ts";
import { closeHttpServer, createHttpServer, listenOn, setCertificate } from "./http-listener.ts";
import { urlHost } from "./loopback.ts";
import { operationsListener } from "./operations-listener.ts";
import { createPrometheusMetrics } from "./prometheus-metrics.ts";
import { createReloads, type Reloads } from "./reloads.ts";
import { type StoreWatch, watchStore } from "./store-watch.ts";
import { systemClock } from "./system-clock.ts";
import { readTlsMaterial, type TlsFiles } from "./tls-files.ts";

/** Options of {@link startClusterService}. */
export interface ClusterServiceOptions<Opened> {
  readonly config: Omit<ClusterConfig, "logLevel" | "proxies" | "webhooks">;
  readonly database: ClusterDatabase<Opened>;
  readonly listener: ClusterListener;
  readonly log: Logger;
}

/** Prepares and opens the database that the processes share. */
export interface ClusterDatabase<Opened> {
  migrate(options: {
    readonly uri: string;
    readonly log: Log;
    readonly serverSelectionTimeoutMs: number;
  }): Promise<void>;
  connect(options: { readonly uri: string; readonly log: Log }): Promise<Opened>;
}

/** The one HTTP listener of a process: health, metrics, and the process' own paths. */
export interface ClusterListener {
  /** 0 takes any free one. */
  readonly port: number;
  /** The variable that chooses the port, for messages. */
  readonly variable: string;
  /** @default plain HTTP */
  readonly tls?: TlsFiles | undefined;
  /** Status for all paths beside health and metrics, until {@link ClusterGround.serve}. @default 404 */
  readonly otherwise?: 404 | 503;
}

/** The running base of a process of the cluster, on which its own parts are started. */
export interface ClusterGround<Opened> {
  /** `http://…` or `https://…` of the listener, without a slash at the end. */
  readonly url: string;
  /** The listener. */
  readonly http: Server;
  readonly store: Opened;
  readonly watch: StoreWatch;
  readonly registry: Registry;
  readonly metrics: Metrics;
  /** Holds the listener, the store and its watch; own parts are added as they are started. */
  readonly drain: Drain;
  /** What SIGHUP reads again: it holds the listener's certificate; own parts are added as they are started. */
  readonly reloads: Reloads;
  /** The health that `/readyz` shows. */
  readonly health: () => Health;
  /** Sets the health, which is `starting` until then. */
  reportHealth(health: () => Health): void;
  /** Gives all requests to `app` from now on. They stop before every part that was added earlier. */
  serve(app: RequestListener): void;
}

/** Shares of the time for stopping that the listener and the store may take. */
const shares = { requests: 0.35, store: 0.1, listener: 0.05 } as const;

/**
 * Starts a process of the cluster: first the listener, so that `/readyz` says what is missing, then the database, then
 * the process' own parts with `startOwn`. Throws `OperatorError`, with what to do, for everything an operator can put
 * right; whatever was opened until then is closed.
 */
export async function startClusterService<
  Opened extends { readonly users: Pick<UserStore, "get">; close(): Promise<void> },
  Service,
>(
  { config, database, listener, log }: ClusterServiceOptions<Opened>,
  startOwn: (ground: ClusterGround<Opened>) => Promise<Service>,
): Promise<Service> {
  const { port, variable, tls, otherwise = 404 } = listener;
  const material = tls === undefined ? undefined : readTlsMaterial(tls);
  const drain = createDrain(log);
  const registry = new Registry();
  const metrics = createPrometheusMetrics(registry);
  let reported = (): Health => ({ ready: false, reason: "starting" });
  const health = () => (drain.hasBegun ? { ready: false, reason: "shutting_down" } : reported());
  let app = operationsListener({ health, registry, metricsToken: config.metricsToken, otherwise });
  const http = createHttpServer((request, response) => app(request, response), material);
  const reloads = createReloads(log, metrics);
  if (tls !== undefined) reloads.add("the certificate", () => setCertificate(http, readTlsMaterial(tls)));
  const stopListening = async (timeoutMs: number) => {
    if (http.listening) await closeHttpServer(http, timeoutMs);
  };
  try {
    const chosenBy = { host: "CHAT21_HOST", port: variable };
    const ownPort = await listenOn(http, config.host, port, chosenBy);
    drain.add("HTTP", shares.listener, stopListening);
    const store = await openDatabase(config, database, log);
    drain.add("the store", shares.store, (timeoutMs) => within(store.close(), timeoutMs));
    const watch = watchStore({ store, clock: systemClock, log });
    drain.add("the watch over the store", 0, watch.stop);
    const url = `${material === undefined ? "http" : "https"}://${urlHost(config.host)}:${ownPort}`;
    return await startOwn({
      ...{ url, http, store, watch, registry, metrics, drain, reloads, health },
      reportHealth(given) {
        reported = given;
      },
      serve(given) {
        app = given;
        drain.add("HTTP", shares.requests, stopListening);
      },
    });
  } catch (thrown) {
    await drain.close();
    throw thrown;
  }
}

/** Time of one look for a primary at start: short, so that the log soon says what the process waits for. */
const attemptMs = 2_000;

function openDatabase<Opened>(
  { mongoUri: uri, migrate, startTimeoutMs: timeoutMs }: ClusterServiceOptions<Opened>["config"],
  database: ClusterDatabase<Opened>,
  log: Log,
): Promise<Opened> {
  return connectPatiently({
    ...{ what: `MongoDB at ${uriLabel(uri)}`, variable: "MONGODB_URI", timeoutMs, log },
    async connect() {
      if (migrate) await database.migrate({ uri, log, serverSelectionTimeoutMs: attemptMs });
      return database.connect({ uri, log });
    },
  });
}
