import { randomUUID } from "node:crypto";
import type { Carrier } from "./carrier.ts";
import { openChat21Target } from "./chat21-target.ts";
import { builtScript, ownCheckout } from "./checkout.ts";
import { bindEventsQueue } from "./events-queue.ts";
import { findFreePorts } from "./free-port.ts";
import { partitionsShared } from "./partitions-shared.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import type { ServiceSet } from "./service-set.ts";
import { StallableProxy } from "./stallable-proxy.ts";
import { app, type Target } from "./target.ts";

/** How to start our processes of a cluster. */
export interface ClusterOptions {
  readonly carrier: Carrier;
  readonly observers: number;
  /** Whether events are published for backends, with a queue that takes them. */
  readonly events: boolean;
  /** Whether the HTTP API is started too, which groups need. */
  readonly withApi: boolean;
  /** Whether the first observer reaches the broker through {@link Cluster.proxy}. @default `false` */
  readonly isProxied?: boolean;
  /** Writes CPU profiles of the observers there when they end. */
  readonly cpuProfileDir?: string | undefined;
  /** Folder of the repository whose processes they are. @default this one */
  readonly checkout?: string | undefined;
}

/** Our processes of a cluster, on an empty database. */
export interface Cluster {
  /** The target; its processes are the observers. */
  readonly target: Target;
  readonly observers: readonly ServerProcess[];
  /** Between the first observer and the broker; `null` unless that was asked for. */
  readonly proxy: StallableProxy | null;
}

/** The HTTP API of a cluster. */
export interface ClusterApi {
  /** With `/api`. */
  readonly apiUrl: string;
  readonly process: ServerProcess;
}

/** Starts the built observers, one after the other, and the API, as an operator would; all partitions are consumed. */
export async function startCluster(services: ServiceSet, options: ClusterOptions): Promise<Cluster> {
  const broker = new URL(services.amqpUri);
  const proxy = options.isProxied
    ? await StallableProxy.listen({ host: broker.hostname, port: Number(broker.port) })
    : null;
  const proxied = new URL(services.amqpUri);
  if (proxy !== null) proxied.port = String(proxy.port);
  const { events, cpuProfileDir, checkout = ownCheckout } = options;
  const settings = settingsOf(services, newDatabaseUri(services), events);
  const observers: ServerProcess[] = [];
  let api: ClusterApi | undefined;
  const close = async () => {
    await Promise.all([...observers, api?.process].map((one) => one?.end()));
    await proxy?.close();
  };
  try {
    if (events) await bindEventsQueue(services.amqpUri);
    const metricsPorts = await findFreePorts(options.observers);
    for (const [index, port] of metricsPorts.entries()) {
      const own = index === 0 ? { RABBITMQ_URI: proxied.href } : {};
      const cli = builtScript(checkout, "observer");
      observers.push(await startObserver(cli, { ...settings, ...own }, port, cpuProfileDir));
    }
    await partitionsShared(metricsPorts.map((port) => `http://127.0.0.1:${port}/metrics`));
    if (options.withApi) api = await startApi(builtScript(checkout, "http-api"), settings, services.secret);
    const target = openChat21Target({
      name: "cluster",
      url: services.urls[options.carrier],
      secret: services.secret,
      apiUrl: api?.apiUrl,
      pids: observers.map(({ pid }) => pid),
      peers: services.pids,
    });
    return { target: { ...target, readyMs: observers[0]?.readyMs ?? null, close }, observers, proxy };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts the built API alone, on a database that may be filled. */
export function startClusterApi(services: ServiceSet, mongoUri: string): Promise<ClusterApi> {
  return startApi(
    builtScript(ownCheckout, "http-api"),
    settingsOf(services, mongoUri, true),
    services.secret,
  );
}

/** Names a database that nobody uses. */
export function newDatabaseUri({ mongoUri }: ServiceSet): string {
  if (mongoUri === null) throw new Error("a cluster needs MongoDB");
  const uri = new URL(mongoUri);
  uri.pathname = `/chat21-bench-${randomUUID().slice(0, 8)}`;
  return uri.href;
}

function settingsOf(services: ServiceSet, mongoUri: string, events: boolean): Record<string, string> {
  return {
    MONGODB_URI: mongoUri,
    RABBITMQ_URI: services.amqpUri,
    CHAT21_HOST: "127.0.0.1",
    CHAT21_APPS: app,
    CHAT21_EVENTS: events ? "1" : "0",
    LOG_LEVEL: "WARN",
  };
}

function startObserver(
  cli: string,
  settings: Readonly<Record<string, string>>,
  port: number,
  cpuProfileDir: string | undefined,
): Promise<ServerProcess> {
  return startServerProcess({
    cli,
    settings: { ...settings, METRICS_PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    cpuProfileDir,
  });
}

async function startApi(
  cli: string,
  settings: Readonly<Record<string, string>>,
  secret: string,
): Promise<ClusterApi> {
  const [port = 0] = await findFreePorts(1);
  const process = await startServerProcess({
    cli,
    settings: { ...settings, CHAT21_JWT_SECRET: secret, CHAT21_HTTP_PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  });
  return { apiUrl: `http://127.0.0.1:${port}/api`, process };
}
