import { unusedOriginalVariables } from "@chat21/original";
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
  ...([
    "rabbitUri",
    "mongoUri",
    "apps",
    "presence",
    "presenceGraceSeconds",
    "events",
    "groupsFromMessages",
  ] as const),
  ...(["prefetch", "queueType"] as const),
  ...([
    "keepOriginalQueues",
    "rateLimits",
    "messageCapacity",
    "messageRefillPerMinute",
    "contactsUrl",
  ] as const),
  ...(["host", "metricsPort", "metricsToken", "logLevel"] as const),
  ...(["autoRestart", "startTimeoutSeconds", "migrate"] as const),
);

/** Configuration of an observer, checked and with defaults. */
export interface ObserverConfig extends ClusterConfig, BrokerConfig {
  /** Messages of one partition that may be under way at a time; `undefined`: the adapter's default. */
  readonly prefetch: number | undefined;
  readonly queueType: "classic" | "quorum";
  readonly presenceGraceMs: number;
  /** Leaves the queues of an original deployment as they are. */
  readonly keepOriginalQueues: boolean;
  /** Port of health and metrics; 0 takes any free one. */
  readonly metricsPort: number;
}

/**
 * Reads the configuration; see `loadClusterConfig`.
 * @param environment `process.env` by default
 */
export function loadObserverConfig(environment: Environment = process.env): LoadedConfig<ObserverConfig> {
  const source = { table: observerSettings, environment, unused: unusedOriginalVariables.cluster };
  return loadClusterConfig(source, (reader) => ({
    ...readBrokerConfig(reader),
    prefetch: reader.read("prefetch"),
    queueType: reader.read("queueType") ?? "classic",
    presenceGraceMs: (reader.read("presenceGraceSeconds") ?? 5) * 1_000,
    keepOriginalQueues: reader.read("keepOriginalQueues") ?? false,
    metricsPort: reader.read("metricsPort") ?? 9090,
  }));
}
