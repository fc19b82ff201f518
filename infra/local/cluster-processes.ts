import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ClusterProcess, type ClusterProcessOptions } from "./cluster-process.ts";
import { freePorts } from "./free-port.ts";

/** A running cluster. */
export interface ClusterProcesses {
  /** `http://host:port/api`: the API's, or the first node's where there are only nodes. */
  readonly apiUrl: string;
  /** Where clients connect to nodes. */
  readonly nodes: readonly NodeAddresses[];
  /** Address of the metrics of each process, by its name. */
  readonly metricsUrls: ReadonlyMap<string, string>;
  readonly processes: readonly ClusterProcess[];
  /** Stops the processes in an order that loses nothing. Resolves with their exit codes, by name. */
  stop(): Promise<ReadonlyMap<string, number | null>>;
}

/** Addresses of a node. */
interface NodeAddresses {
  readonly name: string;
  /** Page and REST. */
  readonly url: string;
  /** MQTT over WebSocket. */
  readonly mqttWsUrl: string;
  readonly mqttUrl: string;
}

/**
 * Starts nodes, or observers with the API and the webhooks, or both. Stops all of them when one cannot start.
 */
export async function startClusterProcesses(options: ClusterOptions): Promise<ClusterProcesses> {
  await mkdir(options.folder, { recursive: true });
  const wanted = wantedProcesses(options);
  // The ports are chosen here, so that a process has the same one when it is started again.
  const ports = await freePorts(wanted.length * 2);
  const results = await Promise.allSettled(
    wanted.map((one, index) =>
      ClusterProcess.start(processOptions(options, one, [ports[index * 2] ?? 0, ports[index * 2 + 1] ?? 0])),
    ),
  );
  const started = results.flatMap((result, index) =>
    result.status === "fulfilled" ? [{ app: wanted[index]?.app as App, ...result.value }] : [],
  );
  const stop = async () => {
    const codes = new Map<string, number | null>();
    for (const app of stopOrder) {
      const some = started.filter((one) => one.app === app);
      await Promise.all(some.map(async ({ process }) => codes.set(process.name, await process.stop())));
    }
    return codes;
  };
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const nodes = started
    .filter(({ app }) => app === "server")
    .map(({ process: { name }, ready }) => {
      const { url, mqttWsUrl, mqttUrl } = ready;
      return { name, url: String(url), mqttWsUrl: String(mqttWsUrl), mqttUrl: String(mqttUrl) };
    });
  const api = started.find(({ app }) => app === "http-api");
  return {
    apiUrl: api === undefined ? `${nodes[0]?.url}/api` : String(api.ready["apiUrl"]),
    nodes,
    metricsUrls: new Map(started.map(({ process, ready }) => [process.name, String(ready["metricsUrl"])])),
    processes: started.map(({ process }) => process),
    stop,
  };
}

/** Settings of {@link startClusterProcesses}. */
export interface ClusterOptions {
  readonly rabbitUri: string;
  /** Address with the name of the database. */
  readonly mongoUri: string;
  /** Token secret. The broker has the same. */
  readonly secret: string;
  readonly managementUri: string | null;
  /** Of the first node, or of the API where there are no nodes. 0: any free one. */
  readonly httpPort: number;
  /** MQTT over TCP of the first node. @default any free one */
  readonly mqttPort?: number | undefined;
  /** @default 0 */
  readonly nodes?: number;
  /** More than 0: the API and the webhooks as well. @default 0 */
  readonly observers?: number;
  /** Folder for logs. */
  readonly folder: string;
  /** More variables for the processes. Variables of the cluster itself override them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly restarts: boolean;
  readonly tell?: (line: string) => void;
}

type App = "http-api" | "observer" | "server" | "webhooks";

interface Wanted {
  readonly app: App;
  readonly name: string;
  /** `undefined`: any free ones. */
  readonly httpPort?: number | undefined;
  readonly mqttPort?: number | undefined;
}

function wantedProcesses({
  nodes = 0,
  observers = 0,
  httpPort,
  mqttPort,
}: ClusterOptions): readonly Wanted[] {
  const http = httpPort === 0 ? undefined : httpPort;
  const several = (count: number, app: App, name: string): Wanted[] =>
    Array.from({ length: count }, (_, index) => ({ app, name: `${name}-${index + 1}` }));
  const [first, ...others] = several(nodes, "server", "node");
  return [
    ...(first === undefined ? [] : [{ ...first, httpPort: http, mqttPort }, ...others]),
    ...several(observers, "observer", "observer"),
    ...(observers === 0
      ? []
      : [
          { app: "http-api", name: "http-api", httpPort: nodes === 0 ? http : undefined } as const,
          { app: "webhooks", name: "webhooks" } as const,
        ]),
  ];
}

const scriptOf = (app: App) => fileURLToPath(new URL(`../../apps/${app}/dist/cli.js`, import.meta.url));

/**
 * The API stops first, because it sends requests to the others. The webhooks stop last, because they send the
 * observers' events.
 */
const stopOrder = ["http-api", "server", "observer", "webhooks"] as const satisfies readonly App[];

function processOptions(
  options: ClusterOptions,
  wanted: Wanted,
  freePorts: readonly [http: number, mqtt: number],
): ClusterProcessOptions {
  const { app, name } = wanted;
  const script = scriptOf(app);
  if (!existsSync(script)) throw new Error(`${script} is not built: run "pnpm build" first`);
  const { restarts, tell } = options;
  return {
    ...{
      name,
      script,
      args: app === "server" ? ["node"] : [],
      restarts,
      logPath: join(options.folder, `${name}.log`),
    },
    ...(tell === undefined ? {} : { tell }),
    env: { ...options.env, ...environmentOf(options, wanted, freePorts) },
  };
}

function environmentOf(
  options: ClusterOptions,
  { app, httpPort, mqttPort }: Wanted,
  [freeHttpPort, freeMqttPort]: readonly [http: number, mqtt: number],
): Record<string, string | undefined> {
  const { rabbitUri, mongoUri, secret, managementUri, env } = options;
  return {
    RABBITMQ_URI: rabbitUri,
    MONGODB_URI: mongoUri,
    CHAT21_JWT_SECRET: secret,
    JWT_KEY: secret,
    CHAT21_HOST: env["CHAT21_HOST"] ?? "127.0.0.1",
    ...(managementUri === null ? {} : { RABBITMQ_MANAGEMENT_URI: managementUri }),
    ...(app === "server" || app === "http-api"
      ? { CHAT21_HTTP_PORT: String(httpPort ?? freeHttpPort), PORT: undefined }
      : { METRICS_PORT: String(freeHttpPort) }),
    ...(app === "server"
      ? { CHAT21_MQTT_PORT: String(mqttPort ?? freeMqttPort), CHAT21_MQTT_WS_PORT: undefined }
      : {}),
    // A local cluster may send webhooks to receivers on this machine.
    WEBHOOK_ALLOW_PRIVATE: env["WEBHOOK_ALLOW_PRIVATE"] ?? "127.0.0.0/8,::1/128",
    WEBHOOK_SECRETS: env["WEBHOOK_SECRETS"] ?? localWebhookSecret(secret),
  };
}

/** Makes the webhook secret from the token secret, so that it is the same at every start. */
function localWebhookSecret(secret: string): string {
  return `whsec_${createHash("sha256").update(`webhooks of ${secret}`).digest("base64")}`;
}
