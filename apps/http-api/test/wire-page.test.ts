import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as protocol from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { channels } from "../src/asyncapi-channels.ts";
import { problemSchema } from "../src/openapi.ts";
import { routesFor } from "../src/routes.ts";

const { errorCodes, eventKinds, limits, messageStatus } = protocol;
const root = new URL("../../../", import.meta.url);
const path = fileURLToPath(new URL("docs/wire.md", root));
const page = readFileSync(path, "utf8");
const routes = routesFor({ signInKey: "a-key" });

interface Example {
  /** The word after `json` in the code block's first line. */
  readonly tag: string;
  readonly text: string;
}

const examples: readonly Example[] = [...page.matchAll(/^```json *([^\n]*)\n([\s\S]*?)^```$/gm)].map(
  ([, tag = "", text = ""]) => ({ tag, text }),
);

/** The schema that a tag names: of the protocol, of a kind of event, or of a route's request or answer. */
function schemaOf(tag: string): z.core.$ZodType | undefined {
  if (tag === "problem") return problemSchema;
  const [, kind] = /^kind:(\w+)$/.exec(tag) ?? [];
  if (kind !== undefined) return eventKinds[kind as keyof typeof eventKinds]?.data;
  const [name = "", part] = tag.split(" ");
  if (part === undefined) return (protocol as Readonly<Record<string, unknown>>)[name] as z.core.$ZodType;
  const route = routes.find(({ id }) => id === name);
  return part === "request" ? (route?.body ?? route?.text) : route?.answers[Number(part)]?.schema;
}

/** First cells of the rows of a table, without backticks. */
const firstCells = (heading: string) => {
  const [, section = ""] = page.split(`\n### ${heading}\n`);
  const [table = ""] = section.split(/\n#+ /);
  return [...table.matchAll(/^\| `?([^`|]+?)`? \|/gm)].map(([, cell]) => cell as string).slice(1);
};

describe("an example", () => {
  it.each(examples.filter(({ tag }) => tag !== ""))("$tag is what its schema takes", ({ tag, text }) => {
    const schema = schemaOf(tag);

    expect(schema, "the tag names no schema").toBeDefined();
    const parsed = z.core.safeParse(schema as z.core.$ZodType, JSON.parse(text));
    expect(parsed.error?.issues).toBeUndefined();
  });

  it("without a schema is JSON", () => {
    for (const { text } of examples.filter(({ tag }) => tag === ""))
      expect(() => JSON.parse(text)).not.toThrow();
  });
});

/** Payloads by name. Those of events differ in their `data` only. */
const payloads = channels
  .filter(({ id }) => id !== "event")
  .flatMap(({ messages }) => Object.entries(messages));

describe("the page names, with an example,", () => {
  it.each(channels)("the topic $address", ({ address }) => {
    expect(page).toContain(`\`${address}\``);
  });

  it.each(payloads)("the payload %s", (_name, schema) => {
    const isShown = examples.some(({ text }) => z.core.safeParse(schema, JSON.parse(text)).success);

    expect(isShown).toBe(true);
  });

  it("every kind of event", () => {
    const { message: _message, ...kinds } = eventKinds;
    const shown = examples.flatMap(({ tag }) => /^kind:(\w+)$/.exec(tag)?.[1] ?? []);

    expect(shown).toEqual(Object.keys(kinds));
  });

  it("every error code, and every state of a message", () => {
    expect(firstCells("Error codes").filter((cell) => !cell.startsWith("-"))).toEqual(
      Object.keys(errorCodes),
    );
    expect(firstCells("States of a message").filter((cell) => /\d/.test(cell))).toEqual(
      Object.values(messageStatus).map(String),
    );
  });

  it("every limit, as the code explains it", async () => {
    const source = readFileSync(new URL("packages/protocol/src/limits.ts", root), "utf8");
    const comments = [...source.matchAll(/^ +\/\*\*([\s\S]*?)\*\/\n +(\w+): /gm)];
    const rows = comments.map(([, comment = "", name = ""]) => {
      const meaning = comment
        .replace(/\n +\*/g, " ")
        .replace(/ +/g, " ")
        .trim();
      const value = limits[name as keyof typeof limits].toLocaleString("en");
      return `| \`${name}\` | ${value} | ${meaning} |`;
    });
    const block = ["| limit | value | meaning |", "|---|---|---|", ...rows].join("\n");
    const text = page.replace(
      /(<!-- limits -->\n)[\s\S]*?(<!-- \/limits -->)/,
      (_, open: string, close: string) => `${open}\n${block}\n\n${close}`,
    );

    expect(rows).toHaveLength(Object.keys(limits).length);
    await expect(text).toMatchFileSnapshot(path);
  });
});

describe("links and labels", () => {
  const ids = [...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id as string);
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );

  it("lead to a place on the page", () => {
    const targets = [...page.matchAll(/(?:\]\(|href=")#([\w-]+)/g)].map(([, target]) => target as string);

    expect(targets.length).toBeGreaterThan(20);
    for (const target of targets) expect([...ids, ...headings]).toContain(target);
  });

  it("are each explained once", () => {
    const count = (letter: string) => ids.filter((id) => new RegExp(`^${letter}\\d+$`).test(id)).length;

    expect(new Set(ids).size).toBe(ids.length);
    expect([count("p"), count("s"), count("q")]).toEqual([6, 6, 23]);
  });

  it("of the code are all on the page", () => {
    const used = new Map<string, string>();
    for (const file of sources()) {
      for (const [label] of readFileSync(file, "utf8").matchAll(/\b[PSQ]\d{1,2}\b/g)) used.set(label, file);
    }

    expect(used.size).toBeGreaterThan(20);
    for (const [label, file] of used) expect(ids, `${label} in ${file}`).toContain(label.toLowerCase());
  });
});

describe.each([
  ["3.1.1", "mqtt", /\[MQTT-([^\]]+)\]/g, 141],
  ["5", "mqtt5", /\[MQTT5-([^\]]+)\]/g, 251],
] as const)("the numbered statements of MQTT %s", (_version, mark, label, count) => {
  const [, table = ""] = new RegExp(`<!-- ${mark} -->([\\s\\S]*?)<!-- /${mark} -->`).exec(page) ?? [];
  const rows = [...table.matchAll(/^\| ([\d., -]+) \| ([^|]+) \| ([^|]*) \|$/gm)];
  const numbers = rows.flatMap(([, cell = ""]) => cell.split(", "));

  it("stand each in one row", () => {
    expect(numbers).toHaveLength(count);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it("are those that the code names", () => {
    const edge = sources().filter((file) => /\/(broker-embedded|testkit|protocol)\//.test(file));
    const named = edge.flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(label)].map(([, number]) => number as string),
    );

    expect(named.length).toBeGreaterThan(25);
    expect(numbers).toEqual(expect.arrayContaining(named));
  });

  it("that are kept or differ name tests that exist", () => {
    const tests = new Set(sources().map((file) => file.replace(/^.*\/|(\.test)?\.ts$/g, "")));
    for (const [row, , answer = "", cell = ""] of rows) {
      const named = [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
      for (const name of named) expect(tests, row).toContain(name);
      if (!/^(The client's|Do(es)? not apply)/.test(answer)) expect(named.length, row).toBeGreaterThan(0);
    }
  });
});

/** Every TypeScript file of packages and apps. */
function sources(): string[] {
  const folders = ["packages", "apps"].flatMap((parent) =>
    readdirSync(new URL(parent, root)).flatMap((name) => [`${parent}/${name}/src`, `${parent}/${name}/test`]),
  );
  return folders
    .filter((folder) => existsSync(new URL(folder, root)))
    .flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
        .filter((name) => /\.tsx?$/.test(name))
        .map((name) => fileURLToPath(new URL(`${folder}/${name}`, root))),
    );
}
