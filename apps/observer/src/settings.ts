import { clusterSettings } from "@chat21/runtime";

const {
  apps,
  autoRestart,
  contactsUrl,
  events,
  host,
  keepOriginalQueues,
  logLevel,
  messageCapacity,
  messageRefillPerMinute,
  metricsPort,
  metricsToken,
  migrate,
  mongoUri,
  prefetch,
  presence,
  queueType,
  rabbitUri,
  startTimeoutSeconds,
} = clusterSettings;

/** Every setting of the observer beside the `WEBHOOK_` ones, in the order of the help. */
export const observerSettings = {
  ...{ rabbitUri, mongoUri, apps, presence, events, prefetch, queueType, keepOriginalQueues },
  ...{ messageCapacity, messageRefillPerMinute, contactsUrl },
  ...{ host, metricsPort, metricsToken, logLevel },
  ...{ autoRestart, startTimeoutSeconds, migrate },
} as const;
