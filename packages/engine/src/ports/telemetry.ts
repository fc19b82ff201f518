/** Structured logging, level by method. Fields never hold payloads or secrets. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Counters and timings by name; labels have few values. Names are without the `chat21_` prefix and without unit
 * suffixes of Prometheus; a metrics adapter adds them.
 */
export interface Metrics {
  /** `by` 0 makes a value of a label known before its first event, so that an alert sees that one as well. @param by 1 by default */
  count(name: MetricName, labels?: Readonly<Record<string, string>>, by?: number): void;
  /** Seconds, or a size for names that say so. */
  observe(name: ObservationName, value: number): void;
}

/** Names of counters. */
export type MetricName =
  | "messages_committed"
  | "events_dispatched"
  | "deliveries"
  | "repeats"
  | "refused"
  /** Publishes over a user's budget, refused or made to wait, by `kind`; see `Budgets`. */
  | "rate_limited"
  | "conflicts"
  /** Counted by the edge, which sees more of them than the engine does; `sessions_closed` by `reason`. */
  | "sessions_opened"
  | "sessions_closed"
  | "connects_refused"
  | "store_errors"
  | "redispatched"
  /** Attempts to deliver a webhook, by `outcome`: `delivered`, `retry`, `dead`. */
  | "webhook_attempts"
  /** Minutes in which all requests to a webhook endpoint failed, or in which it is not used after a 410; by `endpoint`. */
  | "webhook_silence"
  /** Files that were read again on request, by `outcome`: `applied`, `refused` (the ones before stay in use). */
  | "reloads"
  /** Messages of the broker that could not be handled, by `reason`. */
  | "dead_letters"
  /** Partitions that a foreign consumer consumes as well, once for each time it is seen. */
  | "foreign_consumers"
  /** Partitions of the broker, by `change`: `taken`, `released`, `lost`. */
  | "partition_changes"
  /** Times that a node lost its way to the other nodes, and its clients had to connect again. */
  | "node_resets";

/** Names of measurements. */
export type ObservationName = "commit_seconds" | "batch_items" | "webhook_seconds" | "webhook_age_seconds";
