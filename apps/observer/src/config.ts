import type { WebhookSettings } from "@chat21/events";
import { unusedOriginalVariables } from "@chat21/original";
import type { WebhookEvent } from "@chat21/protocol";
import {
  type ClusterConfig,
  chooseMessageRate,
  clusterVariables,
  createSettingsReader,
  type Environment,
  loadWebhookSettings,
  type MessageRate,
  type Notice,
  readClusterConfig,
  usualEvents,
} from "@chat21/runtime";
import { observerSettings } from "./settings.ts";

/** Everything that can be chosen about an observer, checked and with defaults. */
export interface ObserverConfig extends ClusterConfig {
  readonly rabbitUri: string;
  /** `undefined`: any. */
  readonly apps: readonly string[] | undefined;
  readonly presence: boolean;
  /** Events that go to the exchange `chat21.events`. */
  readonly events: readonly WebhookEvent[];
  /** Messages of one partition that may be under way at a time; `undefined`: the adapter's default. */
  readonly prefetch: number | undefined;
  readonly queueType: "classic" | "quorum";
  /** Leaves the queues of an original deployment as they are. */
  readonly keepOriginalQueues: boolean;
  readonly messageRate: MessageRate | undefined;
  readonly contactsUrl: string | undefined;
  /** Of health and metrics; 0 takes any free one. */
  readonly metricsPort: number;
  readonly webhooks: WebhookSettings;
}

/** A configuration and what there is to say about it. */
export interface LoadedObserverConfig {
  readonly config: ObserverConfig;
  readonly notices: readonly Notice[];
}

/**
 * Reads the configuration; the names of existing deployments are understood. Throws `OperatorError` for the first value
 * that cannot be used; never shows secrets.
 * @param environment `process.env` by default
 */
export function loadObserverConfig(environment: Environment = process.env): LoadedObserverConfig {
  const reader = createSettingsReader({
    ...{
      table: observerSettings,
      environment,
      unused: unusedOriginalVariables.cluster,
      others: clusterVariables,
    },
  });
  const { read } = reader;
  const webhooks = loadWebhookSettings(environment);
  const config: ObserverConfig = {
    rabbitUri: reader.readRequired("rabbitUri"),
    ...readClusterConfig(reader),
    apps: read("apps"),
    presence: read("presence") ?? true,
    events: read("events") ?? usualEvents,
    prefetch: read("prefetch"),
    queueType: read("queueType") ?? "classic",
    keepOriginalQueues: read("keepOriginalQueues") ?? false,
    messageRate: chooseMessageRate(read("messageCapacity"), read("messageRefillPerMinute")),
    contactsUrl: read("contactsUrl"),
    metricsPort: read("metricsPort") ?? 9090,
    webhooks: webhooks.settings,
  };
  return { config, notices: [...reader.notices(), ...webhooks.notices] };
}
