import { clusterSettings } from "@chat21/runtime";

const {
  apps,
  autoRestart,
  basePath,
  contactsUrl,
  events,
  host,
  httpPort,
  keysDir,
  logLevel,
  managementUri,
  messageCapacity,
  messageRefillPerMinute,
  metricsToken,
  migrate,
  mongoUri,
  presence,
  rabbitUri,
  requestsPerMinute,
  secret,
  startTimeoutSeconds,
  tlsCert,
  tlsKey,
  trustProxy,
} = clusterSettings;

/** Every setting of the API as a process of its own beside the `WEBHOOK_` ones, in the order of the help. */
export const apiSettings = {
  ...{ rabbitUri, mongoUri, secret, keysDir, apps, presence, events },
  ...{ host, httpPort, basePath, tlsCert, tlsKey, trustProxy },
  ...{ requestsPerMinute, messageCapacity, messageRefillPerMinute, contactsUrl },
  ...{ managementUri, metricsToken, logLevel },
  ...{ autoRestart, startTimeoutSeconds, migrate },
} as const;
