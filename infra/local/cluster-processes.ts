import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ClusterProcess, type ClusterProcessOptions } from "./cluster-process.ts";
import { freePorts } from "./free-port.ts";

/** A running cluster. */
export interface ClusterProcesses {
  /** `http://host:port/api`. */
  readonly apiUrl: string;
  /** Address of the metrics of each process, by its name. */
  readonly metricsUrls: ReadonlyMap<string, string>;
  readonly processes: readonly ClusterProcess[];
  /** Stops the processes in an order that loses nothing. Resolves with their exit codes, by name. */
  stop(): Promise<ReadonlyMap<string, number | null>>;
}

/** Starts observers, the API and the webhooks together. Stops all of them when one cannot start. */
export async function startClusterProcesses(options: ClusterOptions): Promise<ClusterProcesses> {
  await mkdir(options.folder, { recursive: true });
  const wanted: readonly (readonly [app: App, name: string])[] = [
    ...Array.from(
      { length: options.observers },
      (_, index) => ["observer", `observer-${index + 1}`] as const,
    ),
    ["http-api", "http-api"],
    ["webhooks", "webhooks"],
  ];
  // The ports are chosen here, so that a process has the same one when it is started again.
  const ports = await freePorts(wanted.length);
  const results = await Promise.allSettled(
    wanted.map(([app, name], index) =>
      ClusterProcess.start(processOptions(options, app, name, ports[index] ?? 0)),
    ),
  );
  const started = results.flatMap((result, index) =>
    result.status === "fulfilled" ? [{ app: wanted[index]?.[0] as App, ...result.value }] : [],
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
  const api = started.find(({ app }) => app === "http-api");
  return {
    apiUrl: String(api?.ready["apiUrl"]),
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
  /** 0: any free one. */
  readonly httpPort: number;
  readonly observers: number;
  /** Folder for logs. */
  readonly folder: string;
  /** More variables for the processes. Variables of the cluster itself override them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly restarts: boolean;
  readonly tell?: (line: string) => void;
}

type App = "http-api" | "observer" | "webhooks";

const scriptOf = (app: App) => fileURLToPath(new URL(`../../apps/${app}/dist/cli.js`, import.meta.url));

/**
 * The API stops first, because it sends requests to the others. The webhooks stop last, because they send the
 * observers' events.
 */
const stopOrder = ["http-api", "observer", "webhooks"] as const satisfies readonly App[];

function processOptions(
  options: ClusterOptions,
  app: App,
  name: string,
  freePort: number,
): ClusterProcessOptions {
  const script = scriptOf(app);
  if (!existsSync(script)) throw new Error(`${script} is not built: run "pnpm build" first`);
  const { restarts, tell } = options;
  return {
    ...{ name, script, restarts, logPath: join(options.folder, `${name}.log`) },
    ...(tell === undefined ? {} : { tell }),
    env: { ...options.env, ...environmentOf(options, app, freePort) },
  };
}

function environmentOf(
  options: ClusterOptions,
  app: App,
  freePort: number,
): Record<string, string | undefined> {
  const { rabbitUri, mongoUri, secret, managementUri, httpPort, env } = options;
  return {
    RABBITMQ_URI: rabbitUri,
    MONGODB_URI: mongoUri,
    CHAT21_JWT_SECRET: secret,
    JWT_KEY: secret,
    CHAT21_HOST: env["CHAT21_HOST"] ?? "127.0.0.1",
    ...(managementUri === null ? {} : { RABBITMQ_MANAGEMENT_URI: managementUri }),
    ...(app === "http-api"
      ? { CHAT21_HTTP_PORT: String(httpPort || freePort), PORT: undefined }
      : { METRICS_PORT: String(freePort) }),
    // A local cluster may send webhooks to receivers on this machine.
    WEBHOOK_ALLOW_PRIVATE: env["WEBHOOK_ALLOW_PRIVATE"] ?? "127.0.0.0/8,::1/128",
    WEBHOOK_SECRETS: env["WEBHOOK_SECRETS"] ?? localWebhookSecret(secret),
  };
}

/** Makes the webhook secret from the token secret, so that it is the same at every start. */
function localWebhookSecret(secret: string): string {
  return `whsec_${createHash("sha256").update(`webhooks of ${secret}`).digest("base64")}`;
}
