/**
 * Starts a whole cluster on this machine and keeps it running until Ctrl+C:
 *
 *     pnpm cluster [--nodes 2] [--observers 0] [--http-port 8010] [--folder .chat21-cluster] [--no-build]
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type ClusterProcesses, startClusterProcesses } from "./cluster-processes.ts";
import { freePortOr } from "./free-port.ts";
import { mongoOf, rabbitOf } from "./service-folder.ts";
import { type MongoService, stopMongo } from "./start-mongo.ts";
import { type RabbitService, stopRabbit } from "./start-rabbit.ts";

const help = `usage: pnpm cluster [options]

Starts RabbitMQ, MongoDB and nodes, and keeps them running until Ctrl+C. Clients connect to any node.

  --nodes <n>         number of nodes, 1 to 16 [2; 0 with --observers]
  --observers <n>     number of observers, 1 to 64: clients connect to RabbitMQ's MQTT plugin, and the API and the
                      process that sends webhooks run, too. With --nodes, both work in one app [0]
  --http-port <port>  port of the first node, or of REST without nodes [CHAT21_HTTP_PORT, else 8010]
  --folder <folder>   folder of data and logs, kept for the next start [.chat21-cluster]
  --no-build          uses the existing build
  --help              shows this help

environment:
  RABBITMQ_URI, MONGODB_URI  services to use instead of new ones; with --observers, JWT_KEY must be the broker's token secret
  JWT_KEY                    secret of tokens [tokenKey: for this machine only]
  WEBHOOK_ENDPOINTS, …       settings of the processes: see docs/configuration.md`;

const { values } = parseArgs({
  options: {
    nodes: { type: "string" },
    observers: { type: "string" },
    "http-port": { type: "string", default: process.env["CHAT21_HTTP_PORT"] || "8010" },
    folder: { type: "string", default: ".chat21-cluster" },
    "no-build": { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

/** The usual ports. They are used where they are free. */
const usualPorts = { amqp: 5672, mqtt: 1883, webMqtt: 15_675, mongo: 27_017 } as const;

/** Secret of tokens of nodes on a given broker, which verifies none. */
const localSecret = "tokenKey";

const say = (line: string) => console.error(line);

function numberOf(name: "http-port" | "nodes" | "observers", highest: number): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1 && number <= highest) return number;
  throw new Error(`--${name}: expected a number, 1 to ${highest}, got ${values[name]}`);
}

/** How many processes of each kind are wanted. */
function sizes(): { readonly nodes: number; readonly observers: number } {
  const observers = values.observers === undefined ? 0 : numberOf("observers", 64);
  if (values.nodes !== undefined) return { nodes: numberOf("nodes", 16), observers };
  return { nodes: observers > 0 ? 0 : 2, observers };
}

function build(): void {
  const filters = ["http-api", "observer", "webhooks", "server"].map((app) => `--filter=@chat21/${app}...`);
  const { status, error } = spawnSync("turbo", ["run", "build", ...filters, "--output-logs=errors-only"], {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
  if (error !== undefined) {
    throw new Error("turbo was not found: run this as `pnpm cluster`, or with --no-build", { cause: error });
  }
  if (status !== 0) throw new Error("the build failed");
}

interface Services {
  readonly mongo: MongoService;
  readonly rabbit: RabbitService;
}

/** @param mqttPort of RabbitMQ's plugin; `undefined`: any free one */
async function startServices(folder: string, mqttPort: number | undefined): Promise<Services> {
  const [mongoPort, port, webMqttPort] = await Promise.all(
    [usualPorts.mongo, usualPorts.amqp, usualPorts.webMqtt].map(freePortOr),
  );
  const secret = process.env["CHAT21_JWT_SECRET"] || process.env["JWT_KEY"];
  const mongo = await mongoOf(folder, { log: say, ...(mongoPort === undefined ? {} : { port: mongoPort }) });
  const rabbit = await rabbitOf(folder, {
    log: say,
    ...(port === undefined ? {} : { port }),
    ...(mqttPort === undefined ? {} : { mqttPort }),
    ...(webMqttPort === undefined ? {} : { webMqttPort }),
    ...(secret === undefined ? {} : { jwtSecret: secret }),
  });
  return { mongo, rabbit };
}

async function stopServices({ mongo, rabbit }: Services): Promise<void> {
  // The data is kept for the next start.
  await stopRabbit(rabbit);
  await stopMongo(mongo);
}

function withDatabase(uri: string): string {
  const parsed = new URL(uri);
  if (parsed.pathname === "" || parsed.pathname === "/") parsed.pathname = "/chat21";
  return parsed.href;
}

function announce({ rabbit }: Services, cluster: ClusterProcesses, secret: string): void {
  const known = process.env["JWT_KEY"] || process.env["CHAT21_JWT_SECRET"] ? "$JWT_KEY" : secret;
  const { nodes } = cluster;
  const ofPlugin = [
    ["REST", cluster.apiUrl],
    ["MQTT over WebSocket", rabbit.webMqttUri ?? "see the given broker"],
    ["MQTT", rabbit.mqttUri ?? "see the given broker"],
  ];
  const rows = [
    ...nodes.flatMap(({ name, url, mqttWsUrl, mqttUrl }) => [
      [`${name}: page, REST`, `${url}  ${url}/api`],
      ["  MQTT over WebSocket", mqttWsUrl],
      ["  MQTT", mqttUrl],
    ]),
    ...(cluster.metricsUrls.has("http-api") ? ofPlugin : []),
    ["RabbitMQ management", rabbit.managementUri ?? "see the given broker"],
    ...[...cluster.metricsUrls].map(([name, url]) => [`metrics of ${name}`, url]),
  ];
  const lines = rows.map(([what = "", where = ""]) => `  ${what.padEnd(24)}${where}`);
  console.log(
    [
      "",
      `The cluster is ready after ${(performance.now() / 1_000).toFixed(1)} s.`,
      "",
      ...lines,
      "",
      "  a token of a person:    " +
        `CHAT21_JWT_SECRET=${known} pnpm --silent chat21 token alice --profile compat`,
      `  health:                 curl ${new URL("/readyz", cluster.apiUrl)}`,
      `  logs:                   ${resolve(values.folder)}/*.log`,
      "",
      "Ctrl+C stops everything that was started here; the data is kept.",
    ].join("\n"),
  );
}

/** Resolves with the first signal. A second one ends everything at once. */
function firstSignal(): Promise<void> {
  return new Promise((resolveFirst) => {
    let count = 0;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        count += 1;
        resolveFirst();
        if (count > 2) process.exit(1);
      });
    }
  });
}

async function main(): Promise<void> {
  const { nodes, observers } = sizes();
  const httpPort = numberOf("http-port", 65_535);
  const stop = firstSignal();
  if (!values["no-build"]) build();
  const folder = resolve(values.folder);
  say("starting RabbitMQ and MongoDB");
  const mqttPort = await freePortOr(usualPorts.mqtt);
  const services = await startServices(folder, nodes > 0 ? undefined : mqttPort);
  const { mongo, rabbit } = services;
  try {
    const given = rabbit.jwtSecret ?? process.env["CHAT21_JWT_SECRET"];
    if (given === undefined && observers > 0) {
      throw new Error(
        "RABBITMQ_URI is given: set JWT_KEY to the secret with which that broker verifies tokens",
      );
    }
    const secret = given ?? localSecret;
    const wanted = [
      ...(nodes > 0 ? [`${nodes} nodes`] : []),
      ...(observers > 0 ? [`${observers} observers, the API and the webhooks`] : []),
    ];
    say(`starting ${wanted.join(", ")}`);
    const cluster = await startClusterProcesses({
      ...{
        nodes,
        observers,
        httpPort,
        mqttPort,
        folder,
        secret,
        restarts: true,
        tell: say,
        env: process.env,
      },
      rabbitUri: rabbit.uri,
      mongoUri: withDatabase(mongo.uri),
      managementUri: withGuest(rabbit),
    });
    announce(services, cluster, secret);
    await stop;
    say("stopping");
    await cluster.stop();
  } finally {
    await stopServices(services);
  }
  say("stopped");
}

/** Adds the user guest to the management address of our own broker. */
function withGuest({ managementUri, origin }: RabbitService): string | null {
  if (managementUri === null || origin === "environment") return managementUri;
  return managementUri.replace("://", "://guest:guest@");
}

if (values.help) {
  console.log(help);
} else {
  await main().catch((error: Error) => {
    console.error(`pnpm cluster: ${error.message}`);
    process.exitCode = 1;
  });
}
