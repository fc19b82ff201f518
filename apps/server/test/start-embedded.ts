import type { StartTopology } from "@chat21/testkit";
import { freePort, ServerProcess } from "./server-process.ts";

// What existing deployments have for a secret; it works, and is called weak in the log.
const secret = "tokenKey";

/** Starts the embedded server on a new data folder; `removeDataDirs` removes it. */
export const startEmbedded: StartTopology = async ({ webhookEndpoint }) => {
  const mqttWsPort = await freePort();
  const server = await ServerProcess.start({
    env: {
      CHAT21_MQTT_WS_PORT: String(mqttWsPort),
      JWT_KEY: secret,
      WEBHOOK_ENDPOINTS: webhookEndpoint,
      LOG_LEVEL: "WARN",
      PRESENCE_GRACE_SECONDS: "1",
      // One user of a test sends as much as many people would.
      CHAT21_RATE_LIMITS: "off",
    },
  });
  return {
    mqttWsUrl: `ws://127.0.0.1:${mqttWsPort}/ws`,
    mqttTcpUrl: server.mqttUrl,
    apiUrl: `${server.url}/api`,
    metricsUrl: `${server.url}/metrics`,
    secret,
    publishesAreJudgedBy: "policy",
    takeovers: "safe",
    close: async () => void (await server.stop()),
  };
};
