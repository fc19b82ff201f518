import { chooseSettings } from "@chat21/runtime";

/** Every setting of a node beside the `WEBHOOK_` ones, in the order of the help. */
export const nodeSettings = chooseSettings(
  ...(["rabbitUri", "mongoUri", "secret", "keysDir", "tokensWithoutExp", "apps"] as const),
  ...(["host", "httpPort", "mqttPort", "mqttWsPort", "basePath"] as const),
  ...(["tlsCert", "tlsKey", "trustProxy"] as const),
  ...(["presence", "presenceGraceSeconds", "events", "groupsFromMessages", "namesVisible"] as const),
  ...(["requestsPerMinute", "authFailuresPerMinute"] as const),
  ...(["messageCapacity", "messageRefillPerMinute", "contactsUrl"] as const),
  ...(["metricsToken", "logLevel"] as const),
  ...(["autoRestart", "startTimeoutSeconds", "migrate"] as const),
);
