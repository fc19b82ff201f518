import type { MetricName, Metrics, ObservationName } from "@chat21/engine";
import { budgets } from "@chat21/protocol";
import { Counter, collectDefaultMetrics, Histogram, type Registry } from "prom-client";

interface CounterDescription {
  readonly help: string;
  readonly label?: string;
  /** Values that are known beforehand: their series begin with 0, so that `increase()` sees the first event. */
  readonly values?: readonly string[];
}

const counters: Readonly<Record<MetricName, CounterDescription>> = {
  conflicts: { help: "Writes that had to be decided anew, by kind.", label: "kind" },
  connects_refused: { help: "Connections that were refused, by code.", label: "code" },
  dead_letters: {
    help: "Messages of the broker that could not be handled, by reason.",
    label: "reason",
    values: ["crashes", "forbidden", "internal", "refused", "unknown_app", "unroutable"],
  },
  deliveries: { help: "Publishes to inboxes." },
  events_dispatched: { help: "Events delivered and handed over." },
  foreign_consumers: { help: "Times that a partition was seen with a consumer of somebody else." },
  messages_committed: { help: "Messages stored." },
  node_resets: { help: "Times that the node lost the other nodes, and its clients had to connect again." },
  partition_changes: {
    help: "Partitions taken, released and lost, by change.",
    label: "change",
    values: ["taken", "released", "lost"],
  },
  rate_limited: {
    help: "Publishes over a user's budget, refused or made to wait, by kind.",
    label: "kind",
    // A refusal that waits is counted as refused, under its own code.
    values: Object.keys(budgets).filter((kind) => kind !== "refusal"),
  },
  redispatched: { help: "Events that an earlier process had left undispatched." },
  refused: { help: "Publishes that were refused, by code.", label: "code" },
  reloads: {
    help: "Files that were read again on SIGHUP, by outcome.",
    label: "outcome",
    values: ["applied", "refused"],
  },
  repeats: { help: "Sends whose idempotency key had been used." },
  sessions_closed: { help: "Connections that ended, by reason.", label: "reason" },
  sessions_opened: { help: "Connections that were accepted." },
  store_errors: {
    help: "Failures of the store, by kind.",
    label: "kind",
    values: ["permanent", "thread", "transient"],
  },
  webhook_attempts: {
    help: "Attempts to deliver a webhook, by outcome.",
    label: "outcome",
    values: ["delivered", "retry", "dead"],
  },
  webhook_silence: {
    help: "Minutes in which all requests to a webhook endpoint failed, by endpoint.",
    label: "endpoint",
  },
};

const secondsBuckets = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const waitBuckets = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 3_600, 6 * 3_600, 24 * 3_600, 72 * 3_600];

const observations: Readonly<Record<ObservationName, { readonly help: string; readonly buckets: number[] }>> =
  {
    batch_items: { help: "Items of one commit.", buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000] },
    commit_seconds: { help: "Time of one commit.", buckets: secondsBuckets },
    webhook_age_seconds: { help: "From event to delivered webhook.", buckets: waitBuckets },
    webhook_seconds: { help: "Time of one webhook request.", buckets: secondsBuckets },
  };

/** Values of one label that get a series of their own; more are counted as `other`. */
const labelValues = 50;

/**
 * The engine's metrics for Prometheus: `chat21_…_total` counters and `chat21_…` histograms, all present from the
 * start, and the process's own. Once per registry.
 */
export function createPrometheusMetrics(registry: Registry): Metrics {
  collectDefaultMetrics({ register: registry });
  const count = mapValues(counters, (name, description) => createCounter(registry, name, description));
  const observe = mapValues(observations, (name, { help, buckets }) => {
    const histogram = new Histogram({ name: `chat21_${name}`, help, buckets, registers: [registry] });
    return (value: number) => histogram.observe(value);
  });
  return {
    count: (name, labels, by = 1) => count[name]?.(labels, by),
    observe: (name, value) => observe[name]?.(value),
  };
}

type Increment = (labels: Readonly<Record<string, string>> | undefined, by: number) => void;

function createCounter(
  registry: Registry,
  name: string,
  { help, label, values = [] }: CounterDescription,
): Increment {
  const labelNames = label === undefined ? [] : [label];
  const counter = new Counter({ name: `chat21_${name}_total`, help, labelNames, registers: [registry] });
  if (label === undefined) {
    return (_labels, by) => counter.inc(by);
  }
  const seen = new Set(values);
  for (const value of values) counter.inc({ [label]: value }, 0);
  return (labels, by) => {
    const value = labels?.[label] ?? "none";
    if (seen.size < labelValues) seen.add(value);
    counter.inc({ [label]: seen.has(value) ? value : "other" }, by);
  };
}

function mapValues<Name extends string, From, To>(
  table: Readonly<Record<Name, From>>,
  map: (name: Name, from: From) => To,
): Readonly<Record<Name, To>> {
  const entries = Object.entries(table) as [Name, From][];
  return Object.fromEntries(entries.map(([name, from]) => [name, map(name, from)])) as Record<Name, To>;
}
