import {
  type BrokerConfig,
  type ClusterConfig,
  chooseSettings,
  type Environment,
  type LoadedConfig,
  loadClusterConfig,
  readBrokerConfig,
} from "@chat21/runtime";

/** Every setting of the observer beside the `WEBHOOK_` ones, in the order of the help. */
export const observerSettings = chooseSettings(
  ...(["rabbitUri", "mongoUri", "apps", "presence", "events", "prefetch", "queueType"] as const),
  ...(["keepLegacyQueues", "messageCapacity", "messageRefillPerMinute", "contactsUrl"] as const),
  ...(["host", "metricsPort", "metricsToken", "logLevel"] as const),
  ...(["autoRestart", "startTimeoutSeconds", "migrate"] as const),
);

/** Everything that can be chosen about an observer, checked and with defaults. */
export interface ObserverConfig extends ClusterConfig, BrokerConfig {
  /** Messages of one partition that may be under way at a time; `undefined`: the adapter's default. */
  readonly prefetch: number | undefined;
  readonly queueType: "classic" | "quorum";
  /** Leaves the queues of an original deployment as they are. */
  readonly keepLegacyQueues: boolean;
  /** Of health and metrics; 0 takes any free one. */
  readonly metricsPort: number;
}

/**
 * Reads the configuration; see `loadClusterConfig`.
 * @param environment `process.env` by default
 */
export function loadObserverConfig(environment: Environment = process.env): LoadedConfig<ObserverConfig> {
  return loadClusterConfig(observerSettings, environment, (reader) => ({
    ...readBrokerConfig(reader),
    prefetch: reader.read("prefetch"),
    queueType: reader.read("queueType") ?? "classic",
    keepLegacyQueues: reader.read("keepLegacyQueues") ?? false,
    metricsPort: reader.read("metricsPort") ?? 9090,
  }));
}
