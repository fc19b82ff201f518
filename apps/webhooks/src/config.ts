import type { WebhookSettings } from "@chat21/events";
import { unusedOriginalVariables } from "@chat21/original";
import {
  type ClusterConfig,
  chooseSettings,
  type Environment,
  type LoadedConfig,
  loadClusterConfig,
  OperatorError,
} from "@chat21/runtime";

/** Every setting of the process beside the `WEBHOOK_` ones, in the order of the help. */
export const webhooksSettings = chooseSettings(
  ...(["mongoUri", "host", "metricsPort", "metricsToken", "logLevel"] as const),
  ...(["autoRestart", "startTimeoutSeconds", "migrate"] as const),
);

/** Configuration of the process that sends webhooks, checked and with defaults. */
export interface WebhooksConfig extends ClusterConfig {
  /** Port of health and metrics; 0 takes any free one. */
  readonly metricsPort: number;
}

/**
 * Reads the configuration; see `loadClusterConfig`. Throws `OperatorError`, too, for an endpoint without a secret.
 * @param environment `process.env` by default
 */
export function loadWebhooksConfig(environment: Environment = process.env): LoadedConfig<WebhooksConfig> {
  const source = { table: webhooksSettings, environment, unused: unusedOriginalVariables.cluster };
  const loaded = loadClusterConfig(source, ({ read }) => ({
    metricsPort: read("metricsPort") ?? 9090,
  }));
  const { webhooks } = loaded.config;
  if (sends(webhooks) && webhooks.endpoints.some(({ secrets }) => secrets.length === 0)) {
    throw new OperatorError(
      "WEBHOOK_SECRETS: missing; receivers tell our requests from others' by it: make one with `chat21-webhooks new-secret`",
    );
  }
  return loaded;
}

/** Whether there is anything to send. */
export function sends({ enabled, endpoints }: Pick<WebhookSettings, "enabled" | "endpoints">): boolean {
  return enabled && endpoints.length > 0;
}
