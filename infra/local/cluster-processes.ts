import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ClusterProcess, type ClusterProcessOptions } from "./cluster-process.ts";
import { freePorts } from "./free-port.ts";

/** What the processes of a cluster are started with. */
export interface ClusterOptions {
  readonly rabbitUri: string;
  /** With the database in it. */
  readonly mongoUri: string;
  /** Shared with the broker. */
  readonly secret: string;
  readonly managementUri: string | null;
  /** 0: any free one. */
  readonly httpPort: number;
  readonly observers: number;
  /** For logs. */
  readonly folder: string;
  /** What else they find in their environment; ours wins. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly restarts: boolean;
  readonly tell?: (line: string) => void;
}

/** A cluster that is ready. */
export interface ClusterProcesses {
  /** `http://host:port/api`. */
  readonly apiUrl: string;
  /** Of every process, by its name. */
  readonly metricsUrls: ReadonlyMap<string, string>;
  readonly processes: readonly ClusterProcess[];
  /** Ends them, one kind after the other, so that nothing is lost; resolves with their exit codes by name. */
  stop(): Promise<ReadonlyMap<string, number | null>>;
}

type App = "http-api" | "observer" | "webhooks";

const scriptOf = (app: App) => fileURLToPath(new URL(`../../apps/${app}/dist/cli.js`, import.meta.url));

/** The API first: it is who asks for more. What the observers record is for the webhooks to send. */
const stopOrder = ["http-api", "observer", "webhooks"] as const satisfies readonly App[];

/** Starts observers, the API and the process that sends webhooks, all at once; stops all when one cannot start. */
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
  // Chosen here, so that a process that is started again is found where it was.
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
    // Receivers on this machine are what a local cluster is for.
    WEBHOOK_ALLOW_PRIVATE: env["WEBHOOK_ALLOW_PRIVATE"] ?? "127.0.0.0/8,::1/128",
    WEBHOOK_SECRETS: env["WEBHOOK_SECRETS"] ?? localWebhookSecret(secret),
  };
}

/** The same one at every start, as long as the other secret is. */
function localWebhookSecret(secret: string): string {
  return `whsec_${createHash("sha256").update(`webhooks of ${secret}`).digest("base64")}`;
}
