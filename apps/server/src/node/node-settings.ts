import { identityProviderSettingNames } from "@chat21/http-api";
import { chooseSettings, clusterSettings as cluster } from "@chat21/runtime";
import { settings } from "../settings.ts";

const chosen = chooseSettings(
  ...(["rabbitUri", "mongoUri", "secret", "keysDir", "tokensWithoutExp"] as const),
  ...identityProviderSettingNames,
  "apps",
  ...(["host", "httpPort", "mqttPort", "mqttWsPort", "basePath"] as const),
  ...(["tlsCert", "tlsKey", "trustProxy"] as const),
  ...(["presence", "presenceGraceSeconds", "events", "groupsFromMessages", "namesVisible"] as const),
  ...(["requestsPerMinute", "authFailuresPerMinute"] as const),
  ...(["rateLimits", "sessionsPerUser", "messageCapacity", "messageRefillPerMinute", "contactsUrl"] as const),
  ...(["metricsToken", "logLevel"] as const),
  ...(["autoRestart", "startTimeoutSeconds", "migrate"] as const),
);

/** Every setting of a node beside the `WEBHOOK_` ones, in the order of the help. Addresses with passwords have no flag. */
export const nodeSettings = {
  ...chosen,
  apps: settings.apps,
  host: { ...cluster.host, flag: "host" },
  httpPort: settings.httpPort,
  mqttPort: settings.mqttPort,
  mqttWsPort: settings.mqttWsPort,
  tlsCert: settings.tlsCert,
  tlsKey: settings.tlsKey,
  logLevel: { ...cluster.logLevel, flag: "log-level" },
};

/** Settings of a node by what is given on the command line, as text. */
export type NodeOverrides = Partial<
  Readonly<
    Record<
      "apps" | "host" | "httpPort" | "logLevel" | "mqttPort" | "mqttWsPort" | "tlsCert" | "tlsKey",
      string
    >
  >
>;
