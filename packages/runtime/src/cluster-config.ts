import type { clusterSettings } from "./cluster-settings.ts";
import type { LogLevel } from "./log.ts";
import type { SettingsReader } from "./read-settings.ts";

/** The settings that every process of the cluster has. */
type CommonName =
  | "autoRestart"
  | "host"
  | "logLevel"
  | "metricsToken"
  | "migrate"
  | "mongoUri"
  | "startTimeoutSeconds";

/** A table that has them. */
export type ClusterTable = Pick<typeof clusterSettings, CommonName>;

/** What every process of the cluster is configured with. */
export interface ClusterConfig {
  readonly mongoUri: string;
  /** Whether missing collections and indexes are made at start. */
  readonly migrate: boolean;
  readonly host: string;
  readonly metricsToken: string | undefined;
  readonly logLevel: LogLevel;
  /** How long MongoDB and RabbitMQ are waited for; 0: one attempt. */
  readonly startTimeoutMs: number;
}

/** Reads what every process of the cluster has. Throws `OperatorError`. */
export function readClusterConfig<Table extends ClusterTable>(reader: SettingsReader<Table>): ClusterConfig {
  // A wider table reads the names of a narrower one alike.
  const { read, readRequired } = reader as unknown as SettingsReader<ClusterTable>;
  const waits = read("autoRestart") ?? true;
  const seconds = read("startTimeoutSeconds") ?? 60;
  return {
    mongoUri: readRequired("mongoUri"),
    migrate: read("migrate") ?? true,
    host: read("host") ?? "0.0.0.0",
    metricsToken: read("metricsToken"),
    logLevel: read("logLevel") ?? "INFO",
    startTimeoutMs: waits ? seconds * 1_000 : 0,
  };
}
