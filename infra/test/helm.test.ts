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
