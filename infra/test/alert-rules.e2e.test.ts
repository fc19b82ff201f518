import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { findDebianProgram } from "../local/debian-program.ts";
import { runCommand } from "../local/run-command.ts";

const pathOf = (name: string) => fileURLToPath(new URL(`../prometheus/${name}`, import.meta.url));
const read = (name: string) => parse(readFileSync(pathOf(name), "utf8"));

interface AlertTest {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}
const promtool = () => findDebianProgram("prometheus", "usr/bin/promtool");

test("every alert has a test in which it is silent, and one in which it rings", () => {
  const { groups } = read("chat21.rules.yml") as { groups: { rules: { alert?: string }[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
  const { tests } = read("chat21.rules.test.yml") as { tests: { alert_rule_test: AlertTest[] }[] };
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  const named = (wanted: boolean) =>
    cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === wanted).map(({ alertname }) => alertname);

  expect(alerts.length).toBeGreaterThan(10);
  expect(alerts.filter((alert) => !named(true).includes(alert))).toEqual([]);
  expect(alerts.filter((alert) => !named(false).includes(alert))).toEqual([]);
});

test("each alert rings with the first event, with the text that fits, as Prometheus computes it", async () => {
  const printed = await runCommand(await promtool(), ["test", "rules", pathOf("chat21.rules.test.yml")]);

  expect(printed).toContain("SUCCESS");
});

test("Prometheus accepts the configuration that is shipped", async () => {
  const printed = await runCommand(await promtool(), ["check", "config", pathOf("prometheus.yml")]);

  expect(printed).toContain("is valid prometheus config file syntax");
});
