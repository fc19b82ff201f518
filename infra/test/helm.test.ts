import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { clusterVariables } from "../../packages/runtime/src/cluster-settings.ts";

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const chart = new URL("../helm/chat21/", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, chart), "utf8");
const values = parse(read("values.yaml")) as Record<string, unknown>;
const schema = JSON.parse(read("values.schema.json")) as Schema;
const templates = readdirSync(new URL("templates/", chart)).map(
  (name) => [name, read(`templates/${name}`)] as const,
);

const resolve = (part: Schema): Schema =>
  part.$ref === undefined ? part : (schema.definitions?.[part.$ref.replace("#/definitions/", "")] ?? {});

/** Returns the paths of all values that have a schema. */
function described(part: Schema, path = ""): string[] {
  return Object.entries(resolve(part).properties ?? {}).flatMap(([name, below]) => [
    `${path}${name}`,
    ...described(below, `${path}${name}.`),
  ]);
}

function valueAt(path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], values);
}

test("every value has a schema, and every schema a value", () => {
  const paths = described(schema).filter((path) => path !== "global" && !path.endsWith(".claims"));

  expect(paths.filter((path) => valueAt(path) === undefined)).toEqual([]);
  expect(Object.keys(values).filter((name) => !paths.includes(name))).toEqual([]);
});

test.each(templates)("%s uses only values that exist", (_name, text) => {
  const used = [...text.matchAll(/\.Values\.([\w.]+\w)/g)].map(([, path = ""]) => path);

  expect(used.filter((path) => valueAt(path) === undefined)).toEqual([]);
});

test("no secret is among the values: they come from a Secret by name", () => {
  expect(values["existingSecret"]).toBe("");
  expect(JSON.stringify(values)).not.toMatch(/password|tokenKey/i);
  const secrets = templates.flatMap(([, text]) => [...text.matchAll(/"name" "(\w+)" "key" "([\w-]+)"/g)]);
  expect(secrets.length).toBeGreaterThan(8);
  for (const [, variable = "", key = ""] of secrets) {
    expect(variable === "WEBHOOK_SECRETS" || clusterVariables.includes(variable), variable).toBe(true);
    expect(read("values.yaml"), key).toContain(`#   ${key} `);
  }
});

test("the processes are given variables that they know", () => {
  const names = [...read("templates/configmap.yaml").matchAll(/^ {2}([A-Z0-9_]+):/gm)].map(
    ([, name = ""]) => name,
  );

  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !name.startsWith("WEBHOOK_") && !clusterVariables.includes(name))).toEqual(
    [],
  );
});

test("RabbitMQ's AMQP and management ports are for our own processes alone, and its MQTT ports for clients of the plugin", () => {
  const text = read("templates/networkpolicy.yaml");
  const policy = text.slice(text.indexOf("{{ $name }}-rabbitmq"));
  const rules = policy.split(/\n {4}# /).slice(1);
  const withAmqp = rules.filter((rule) => /port: 567[12]\b/.test(rule));

  expect(withAmqp).toHaveLength(1);
  expect(withAmqp[0]).toContain("values: [node, observer, http-api]");
  // Where everybody is on nodes, RabbitMQ's own MQTT is closed.
  expect(policy).toContain('{{- if ne $.Values.topology "nodes" }}\n    # For clients: MQTT and Web-MQTT');
  // A rule without `from` is open to everybody.
  const open = rules.filter((rule) => !rule.includes("from:"));
  expect(open).toHaveLength(1);
  expect([...(open[0] ?? "").matchAll(/port: (\d+)/g)].map(([, port]) => port)).toEqual([
    "1883",
    "8883",
    "15675",
    "15676",
  ]);
});

test("nodes are the default, and the processes behind the plugin are there only where it serves clients", () => {
  expect(values["topology"]).toBe("nodes");
  expect(read("templates/node.yaml")).toMatch(/^\{\{- if ne \.Values\.topology "plugin" \}\}\n/);
  expect(read("templates/node.yaml")).toContain('"image" "server" "args" (list "node")');
  for (const part of ["observer", "http-api", "webhooks"]) {
    expect(read(`templates/${part}.yaml`)).toMatch(/^\{\{- if ne \.Values\.topology "nodes" \}\}\n/);
  }
});
