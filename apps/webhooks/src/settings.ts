import { clusterSettings } from "@chat21/runtime";

const { autoRestart, host, logLevel, metricsPort, metricsToken, migrate, mongoUri, startTimeoutSeconds } =
  clusterSettings;

/** Every setting of the process beside the `WEBHOOK_` ones, in the order of the help. */
export const webhooksSettings = {
  ...{ mongoUri, host, metricsPort, metricsToken, logLevel },
  ...{ autoRestart, startTimeoutSeconds, migrate },
} as const;
