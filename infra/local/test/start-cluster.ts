import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StartTopology } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { startClusterProcesses } from "../cluster-processes.ts";
import { mergeMetrics } from "./merged-metrics.ts";

/**
 * Makes the environment of a test's processes. It takes only a few variables of this process. One user of a test sends as
 * much as many people would, so the rates of users are off.
 */
export function testEnvironment(more: Readonly<Record<string, string>> = {}) {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, TZ: "UTC", LC_ALL: "C.UTF-8", CHAT21_RATE_LIMITS: "off", ...more };
}

/** Returns the address of another database on the same replica set. */
export function databaseUri(uri: string, database: string): string {
  const parsed = new URL(uri);
  parsed.pathname = `/${database}`;
  return parsed.href;
}

/**
 * Starts the built processes of a cluster: two observers, API, webhooks. They use the run's RabbitMQ and a new
 * database.
 */
export const startCluster: StartTopology = async ({ webhookEndpoint }) => {
  const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
  const { webMqttUri, mqttUri, jwtSecret } = rabbit;
  if (webMqttUri === null || mqttUri === null || jwtSecret === null) {
    throw new Error(
      "RABBITMQ_URI is given: RABBITMQ_WEB_MQTT_URI, RABBITMQ_MQTT_URI and JWT_KEY are needed as well",
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "chat21-cluster-"));
  const cluster = await startClusterProcesses({
    ...{ folder, httpPort: 0, observers: 2, secret: jwtSecret, restarts: false },
    rabbitUri: rabbit.uri,
    mongoUri: databaseUri(mongo.uri, mongo.database),
    managementUri: null,
    env: testEnvironment({
      WEBHOOK_ENDPOINTS: webhookEndpoint,
      LOG_LEVEL: "WARN",
      PRESENCE_GRACE_SECONDS: "1",
    }),
  });
  const metrics = await mergeMetrics([...cluster.metricsUrls.values()]);
  return {
    mqttWsUrl: webMqttUri,
    mqttTcpUrl: mqttUri,
    apiUrl: cluster.apiUrl,
    metricsUrl: metrics.url,
    secret: jwtSecret,
    publishesAreJudgedBy: "scopes",
    takeovers: "racing",
    async close() {
      await metrics.close();
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
