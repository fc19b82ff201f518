import { readFileSync } from "node:fs";
import { parse } from "yaml";

const read = (path: string) => readFileSync(new URL(`../../helm/chat21/${path}`, import.meta.url), "utf8");
const values = parse(read("values.yaml"));

const valueAt = (path: string): unknown =>
  path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown>)?.[name], values);

/** Fills in the few expressions that the chart's variables use. Throws at any other. */
function evaluate(expression: string): string {
  const joined = /^join "," \.Values\.([\w.]+) \| quote$/.exec(expression);
  if (joined) return (valueAt(joined[1] ?? "") as string[]).join(",");
  const plain = /^(?:\.Values\.([\w.]+) \| quote|\(?toString \.Values\.([\w.]+)\)?)$/.exec(expression);
  if (plain) return String(valueAt(plain[1] ?? plain[2] ?? ""));
  throw new Error(`{{ ${expression} }} is not understood here`);
}

/** The variables that the chart gives a process with its default values and these keys of its Secret. */
export function helmEnvironment(
  app: string,
  secret: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const template = read(`templates/${app}.yaml`);
  const shared = [...read("templates/configmap.yaml").matchAll(/^ {2}([A-Z0-9_]+): \{\{ (.*) \}\}$/gm)].map(
    ([, name = "", expression = ""]) => [name, evaluate(expression)],
  );
  const keys = [...template.matchAll(/"name" "(\w+)" "key" "([\w-]+)" "optional" (\w+)/g)].flatMap(
    ([, name = "", key = "", optional]) => {
      const value = secret[key];
      if (value === undefined && optional === "false") throw new Error(`the Secret needs ${key}`);
      return value === undefined ? [] : [[name, value]];
    },
  );
  const inline = /(?:"variables" \(dict|\$variables := dict) ((?:"\w+" (?:"[^"]*"|\([^)]*\)) ?)+)/.exec(
    template,
  );
  const own = [...(inline?.[1] ?? "").matchAll(/"(\w+)" (?:"([^"]*)"|\(([^)]*)\))/g)].map(
    ([, name = "", text, expression]) => [name, text ?? evaluate(expression ?? "")],
  );
  return Object.fromEntries([...shared, ...keys, ...own]);
}

/** The port of a process's container, on which the chart's probes ask. */
export function helmPorts(app: string): readonly number[] {
  const port = /\(dict "port" (\d+)/.exec(read(`templates/${app}.yaml`))?.[1];
  return port === undefined ? [] : [Number(port)];
}
