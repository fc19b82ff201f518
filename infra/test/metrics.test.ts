import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { measureRequests } from "../../apps/http-api/src/request-metrics.ts";
import { measurePartitions } from "../../apps/observer/src/measure-partitions.ts";
import { createPrometheusMetrics } from "../../packages/runtime/src/prometheus-metrics.ts";
import { reportBroker } from "../../packages/runtime/src/report-broker.ts";

const { Registry } = createRequire(new URL("../../packages/runtime/package.json", import.meta.url))(
  "prom-client",
);
const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string };
}
const rules = (parse(read("prometheus/chat21.rules.yml")) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(read("grafana/chat21.json")) as { readonly panels: readonly Panel[] };

/** Series of a real RabbitMQ 3.10 (`/metrics`, `/metrics/detailed`). */
const brokerMetrics = [
  "rabbitmq_alarms_free_disk_space_watermark",
  "rabbitmq_alarms_memory_used_watermark",
  "rabbitmq_connections",
  "rabbitmq_detailed_queue_messages_ready",
  "rabbitmq_detailed_queue_messages_unacked",
];

/** Returns all series of our processes, as they register them. */
async function series(): Promise<Set<string>> {
  const registry = new Registry();
  createPrometheusMetrics(registry);
  measureRequests(registry);
  measurePartitions(registry, { partitions: [] });
  const health = () => ({ ready: true, reason: "ok" });
  reportBroker(
    { registry, watch: { health, stop() {} }, reportHealth() {} },
    { engine: { health }, edge: { ready: true, isBlocked: false } },
  );
  const metrics = (await registry.getMetricsAsJSON()) as { name: string; type: string }[];
  const names = metrics.flatMap(({ name, type }) =>
    type === "histogram" ? ["bucket", "sum", "count"].map((suffix) => `${name}_${suffix}`) : [name],
  );
  return new Set([...names, ...brokerMetrics, ...rules.flatMap(({ record = [] }) => record)]);
}

const namesIn = (expr: string) => expr.match(/\b(chat21|rabbitmq|process)[_:][\w:]+/g) ?? [];

test("alerts and recordings use only series that exist", async () => {
  const known = await series();

  for (const { alert, record, expr } of rules) {
    const names = namesIn(expr);
    expect(names.length, alert ?? record).toBeGreaterThan(0);
    expect(
      names.filter((name) => !known.has(name)),
      alert ?? record,
    ).toEqual([]);
  }
});

test("a counter that an alert watches is 0 before its first event, for every value of its label that is known", async () => {
  const registry = new Registry();
  createPrometheusMetrics(registry);
  const text: string = await registry.metrics();
  // A worker makes the series of its endpoints when it starts.
  const watched = rules
    .flatMap(({ expr }) => [...expr.matchAll(/increase\((chat21_\w+_total)/g)].map(([, name = ""]) => name))
    .filter((name) => name !== "chat21_webhook_silence_total");

  expect(watched.length).toBeGreaterThan(3);
  for (const name of watched) expect(text).toMatch(new RegExp(`^${name}(\\{[^}]+\\})? 0$`, "m"));
});

test("every alert says how bad it is and what happened", () => {
  for (const { labels, annotations } of rules.filter(({ alert }) => alert !== undefined)) {
    expect(labels?.severity).toMatch(/^(warning|critical)$/);
    expect(annotations?.summary).toBeTruthy();
  }
});

test("the dashboard shows only series that exist, each panel once", async () => {
  const known = await series();

  for (const { title, targets } of dashboard.panels) {
    const names = targets.flatMap(({ expr }) => namesIn(expr));
    expect(names.length, title).toBeGreaterThan(0);
    expect(
      names.filter((name) => !known.has(name)),
      title,
    ).toEqual([]);
  }
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
