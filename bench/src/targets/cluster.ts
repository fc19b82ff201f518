import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Carrier } from "./carrier.ts";
import { openChat21Target } from "./chat21-target.ts";
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
  /** Whether events are published for backends. */
  readonly events: boolean;
  /** Whether the HTTP API is started too, which groups need. */
  readonly withApi: boolean;
  /** Whether the first observer reaches the broker through {@link Cluster.proxy}. @default `false` */
  readonly isProxied?: boolean;
  /** Writes CPU profiles of the observers there when they end. */
  readonly cpuProfileDir?: string | undefined;
}

/** Our processes of a cluster, on an empty database. */
export interface Cluster {
  /** Its processes are the observers. */
  readonly target: Target;
  readonly observers: readonly ServerProcess[];
  /** Between the first observer and the broker; `null` unless that was asked for. */
  readonly proxy: StallableProxy | null;
}

const builtScript = (name: string) =>
  fileURLToPath(new URL(`../../../apps/${name}/dist/cli.js`, import.meta.url));

/** Starts the built observers, one after the other, and the API, as an operator would; all partitions are consumed. */
export async function startCluster(services: ServiceSet, options: ClusterOptions): Promise<Cluster> {
  const broker = new URL(services.amqpUri);
  const proxy = options.isProxied
    ? await StallableProxy.listen({ host: broker.hostname, port: Number(broker.port) })
    : null;
  const proxied = new URL(services.amqpUri);
  if (proxy !== null) proxied.port = String(proxy.port);
  const settings = {
    MONGODB_URI: databaseUri(services),
    RABBITMQ_URI: services.amqpUri,
    CHAT21_HOST: "127.0.0.1",
    CHAT21_APPS: app,
    CHAT21_EVENTS: options.events ? "1" : "0",
    LOG_LEVEL: "WARN",
  };
  const observers: ServerProcess[] = [];
  const others: ServerProcess[] = [];
  const close = async () => {
    await Promise.all([...observers, ...others].map((one) => one.end()));
    await proxy?.close();
  };
  try {
    const [httpPort = 0, ...metricsPorts] = await findFreePorts(1 + options.observers);
    for (const [index, port] of metricsPorts.entries()) {
      const own = index === 0 ? { RABBITMQ_URI: proxied.href } : {};
      observers.push(await startObserver({ ...settings, ...own }, port, options.cpuProfileDir));
    }
    await partitionsShared(metricsPorts.map((port) => `http://127.0.0.1:${port}/metrics`));
    if (options.withApi) others.push(await startApi(settings, services.secret, httpPort));
    const target = openChat21Target({
      name: "cluster",
      url: services.urls[options.carrier],
      secret: services.secret,
      apiUrl: `http://127.0.0.1:${httpPort}/api`,
      pids: observers.map(({ pid }) => pid),
      peers: services.pids,
    });
    return { target: { ...target, readyMs: observers[0]?.readyMs ?? null, close }, observers, proxy };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A database of its own for every start: what came before is not there. */
function databaseUri({ mongoUri }: ServiceSet): string {
  if (mongoUri === null) throw new Error("a cluster needs MongoDB");
  const uri = new URL(mongoUri);
  uri.pathname = `/chat21-bench-${randomUUID().slice(0, 8)}`;
  return uri.href;
}

function startObserver(
  settings: Readonly<Record<string, string>>,
  port: number,
  cpuProfileDir: string | undefined,
): Promise<ServerProcess> {
  return startServerProcess({
    cli: builtScript("observer"),
    settings: { ...settings, METRICS_PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    cpuProfileDir,
  });
}

function startApi(
  settings: Readonly<Record<string, string>>,
  secret: string,
  port: number,
): Promise<ServerProcess> {
  return startServerProcess({
    cli: builtScript("http-api"),
    settings: { ...settings, CHAT21_JWT_SECRET: secret, CHAT21_HTTP_PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  });
}
