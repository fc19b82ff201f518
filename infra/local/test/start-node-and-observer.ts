import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StartTopology } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { mergeMetrics } from "./merged-metrics.ts";
import { databaseUri } from "./start-cluster.ts";
import { startNode, startObserver, webhooksTo } from "./start-nodes.ts";

/**
 * Starts an observer and a node in one app, as while the port is moved over. Clients over WebSocket are on RabbitMQ's MQTT
 * plugin; clients over TCP, and REST, are on the node.
 */
export const startNodeAndObserver: StartTopology = async ({ webhookEndpoint }) => {
  const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
  const { webMqttUri, jwtSecret: secret } = rabbit;
  if (webMqttUri === null || secret === null) {
    throw new Error("RABBITMQ_URI is given: RABBITMQ_WEB_MQTT_URI and JWT_KEY are needed as well");
  }
  const folder = await mkdtemp(join(tmpdir(), "chat21-beside-"));
  const common = {
    ...{ rabbitUri: rabbit.uri, mongoUri: databaseUri(mongo.uri, mongo.database), folder, secret },
    ...{ restarts: false, env: webhooksTo(webhookEndpoint) },
  };
  const node = await startNode({ ...common, name: "node-1" });
  // It comes later, and the node notices it.
  const observer = await startObserver({ ...common, name: "observer-1" });
  const metrics = await mergeMetrics([node.topology.metricsUrl, observer.metricsUrl]);
  return {
    ...node.topology,
    metricsUrl: metrics.url,
    mqttWsUrl: webMqttUri,
    publishesAreJudgedBy: "scopes",
    takeovers: "racing",
    async close() {
      await metrics.close();
      await Promise.all([node.process.stop(), observer.process.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
