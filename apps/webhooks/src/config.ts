import type { WebhookSettings } from "@chat21/events";
import { unusedOriginalVariables } from "@chat21/original";
import {
  type ClusterConfig,
  clusterVariables,
  createSettingsReader,
  type Environment,
  loadWebhookSettings,
  type Notice,
  OperatorError,
  readClusterConfig,
} from "@chat21/runtime";
import { webhooksSettings } from "./settings.ts";

/** Everything that can be chosen about the process that sends webhooks, checked and with defaults. */
export interface WebhooksConfig extends ClusterConfig {
  /** Of health and metrics; 0 takes any free one. */
  readonly metricsPort: number;
  /** Every endpoint has a secret. */
  readonly webhooks: WebhookSettings;
}

/**
 * Reads the configuration; the names of existing deployments are understood. Throws `OperatorError` for the first value
 * that cannot be used; never shows secrets.
 * @param environment `process.env` by default
 */
export function loadWebhooksConfig(environment: Environment = process.env): {
  readonly config: WebhooksConfig;
  readonly notices: readonly Notice[];
} {
  const reader = createSettingsReader({
    ...{
      table: webhooksSettings,
      environment,
      unused: unusedOriginalVariables.cluster,
      others: clusterVariables,
    },
  });
  const { settings, notices } = loadWebhookSettings(environment);
  const config: WebhooksConfig = {
    ...readClusterConfig(reader),
    metricsPort: reader.read("metricsPort") ?? 9090,
    webhooks: settings,
  };
  if (sends(settings) && settings.endpoints.some(({ secrets }) => secrets.length === 0)) {
    throw new OperatorError(
      "WEBHOOK_SECRETS: missing; receivers tell our requests from others' by it: make one with `chat21-webhooks new-secret`",
    );
  }
  return { config, notices: [...reader.notices(), ...notices] };
}

/** Whether there is anything to send. */
export function sends({ enabled, endpoints }: Pick<WebhookSettings, "enabled" | "endpoints">): boolean {
  return enabled && endpoints.length > 0;
}
