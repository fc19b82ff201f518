import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StartTopology, Topology } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { ClusterProcess } from "../cluster-process.ts";
import { freePorts } from "../free-port.ts";
import { mergeMetrics } from "./merged-metrics.ts";
import { databaseUri, testEnvironment } from "./start-cluster.ts";

const scriptOf = (app: "observer" | "server") =>
  fileURLToPath(new URL(`../../../apps/${app}/dist/cli.js`, import.meta.url));

// What existing deployments have for a secret; it works, and is called weak in the log.
const usualSecret = "tokenKey";

/** Settings of a process that sends webhooks to this machine. */
export function webhooksTo(endpoint: string): Readonly<Record<string, string>> {
  return {
    WEBHOOK_ENDPOINTS: endpoint,
    WEBHOOK_SECRETS: `whsec_${randomBytes(32).toString("base64")}`,
    WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
  };
}

/** A node, with what its clients see. */
export interface StartedNode {
  readonly process: ClusterProcess;
  readonly topology: Omit<Topology, "close">;
}

/** An observer, and where its metrics are. */
export interface StartedObserver {
  readonly process: ClusterProcess;
  readonly metricsUrl: string;
}

/** Options of a process on a RabbitMQ and a MongoDB. */
export interface ProcessOptions {
  readonly name: string;
  readonly rabbitUri: string;
  /** With the name of the database. */
  readonly mongoUri: string;
  /** Folder for logs. */
  readonly folder: string;
  /** Starts it again, on the same ports, when it ends. */
  readonly restarts: boolean;
  /** Of tokens. @default what existing deployments have */
  readonly secret?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a built observer, with its metrics on a free port. */
export async function startObserver(options: ProcessOptions): Promise<StartedObserver> {
  const [metricsPort] = await freePorts(1);
  const { process, ready } = await ClusterProcess.start({
    ...processOf(options, "observer"),
    env: environmentOf(options, { METRICS_PORT: String(metricsPort) }),
  });
  return { process, metricsUrl: String(ready["metricsUrl"]) };
}

/** Starts a built node on free ports. */
export async function startNode(options: ProcessOptions): Promise<StartedNode> {
  const { secret = usualSecret } = options;
  const [httpPort, mqttPort, mqttWsPort] = await freePorts(3);
  const { process, ready } = await ClusterProcess.start({
    ...{ ...processOf(options, "server"), args: ["node"] },
    env: environmentOf(options, {
      CHAT21_HTTP_PORT: String(httpPort),
      CHAT21_MQTT_PORT: String(mqttPort),
      CHAT21_MQTT_WS_PORT: String(mqttWsPort),
    }),
  });
  return {
    process,
    topology: {
      mqttWsUrl: String(ready["ownMqttWsUrl"]),
      mqttTcpUrl: String(ready["mqttUrl"]),
      apiUrl: `${ready["url"]}/api`,
      metricsUrl: String(ready["metricsUrl"]),
      secret,
      publishesAreJudgedBy: "policy",
      takeovers: "safe",
    },
  };
}

function processOf({ name, folder, restarts }: ProcessOptions, app: "observer" | "server") {
  return { name, restarts, script: scriptOf(app), logPath: join(folder, `${name}.log`) };
}

function environmentOf(options: ProcessOptions, own: Readonly<Record<string, string>>) {
  const { rabbitUri, mongoUri, secret = usualSecret, env = {} } = options;
  return testEnvironment({
    RABBITMQ_URI: rabbitUri,
    MONGODB_URI: mongoUri,
    JWT_KEY: secret,
    CHAT21_HOST: "127.0.0.1",
    LOG_LEVEL: "WARN",
    PRESENCE_GRACE_SECONDS: "1",
    ...own,
    ...env,
  });
}

/**
 * Starts two nodes on the run's RabbitMQ and a new database. Clients over WebSocket are on the first node; clients over
 * TCP, and REST, are on the second one.
 */
export const startNodes: StartTopology = async ({ webhookEndpoint }) => {
  const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
  const folder = await mkdtemp(join(tmpdir(), "chat21-nodes-"));
  const mongoUri = databaseUri(mongo.uri, mongo.database);
  const common = {
    rabbitUri: rabbit.uri,
    mongoUri,
    folder,
    restarts: false,
    env: webhooksTo(webhookEndpoint),
  };
  const first = await startNode({ ...common, name: "node-1" });
  const second = await startNode({ ...common, name: "node-2" });
  const metrics = await mergeMetrics([first.topology.metricsUrl, second.topology.metricsUrl]);
  return {
    ...second.topology,
    mqttWsUrl: first.topology.mqttWsUrl,
    metricsUrl: metrics.url,
    async close() {
      await metrics.close();
      await Promise.all([first.process.stop(), second.process.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
