import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { webhookVariables } from "@chat21/events";
import { apiSettings } from "@chat21/http-api";
import { observerSettings } from "@chat21/observer";
import { unusedOriginalVariables } from "@chat21/original";
import { budgets } from "@chat21/protocol";
import { clusterSettings, exitCodes, type Setting, type SettingTable } from "@chat21/runtime";
import { webhooksSettings } from "@chat21/webhooks";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { nodeSettings } from "../src/node/node-settings.ts";
import { createProgram } from "../src/program.ts";
import { settings } from "../src/settings.ts";

const docs = (name: string) => fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));

/** The text with what stands between a pair of marks replaced. */
function withBlock(text: string, name: string, block: string): string {
  const pattern = new RegExp(`(<!-- ${name}:[^>]*-->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  expect(text).toMatch(pattern);
  return text.replace(pattern, (_, open: string, close: string) => `${open}\n${block}\n\n${close}`);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

const code = (text: string) => `\`${text}\``;

const webhookMeanings: Readonly<Record<string, readonly [fallback: string, meaning: string]>> = {
  WEBHOOK_ENABLED: ["true", "`false`: nothing is recorded and nothing is sent."],
  WEBHOOK_ENDPOINTS: ["none", "Where events go, between commas; each gets every event of every app."],
  WEBHOOK_EVENTS: ["all", "Which events, between commas; `presence-change` is sent in any case."],
  WEBHOOK_SECRETS: [
    "made at first start, in the data folder",
    "Signing secrets (`whsec_…`): one for all endpoints, or one for each between commas; `new|old` during a rotation.",
  ],
  WEBHOOK_SECRETS_FILE: [
    "none",
    "File with what `WEBHOOK_SECRETS` would hold, in its place; read again on SIGHUP.",
  ],
  WEBHOOK_ALLOW_PRIVATE: [
    "none",
    "Address ranges beside the public Internet that endpoints may be in: `10.0.0.0/8`.",
  ],
  WEBHOOK_KEEP_DELIVERED_HOURS: ["24", "How long delivered events stay in the log."],
  WEBHOOK_KEEP_DEAD_DAYS: ["30", "How long dead letters can be replayed."],
};

/** Every command that does something, but for the server itself. */
function leaves(command: Command, path = ""): readonly (readonly [path: string, command: Command])[] {
  return command.commands.flatMap((child) => {
    const name = `${path} ${child.name()}`.trim();
    const below = leaves(child, name);
    return below.length === 0 || child.registeredArguments.length > 0
      ? [[name, child] as const, ...below]
      : below;
  });
}

describe("the commands", () => {
  it("all show their results as JSON when asked", () => {
    const without = leaves(createProgram()).filter(
      ([, command]) => !command.options.some(({ long }) => long === "--json"),
    );

    expect(without.map(([name]) => name)).toEqual(["start", "node"]);
  });
});

/** The table of the original's variables that have no effect in a topology. */
function unusedTable(topology: keyof typeof unusedOriginalVariables): string {
  const rows = [...unusedOriginalVariables[topology]].map(([name, reason]) => [code(name), reason]);
  return table(["variable", "why"], rows);
}

describe("docs/configuration.md", () => {
  const readers = {
    observer: observerSettings,
    "http-api": apiSettings,
    webhooks: webhooksSettings,
    node: nodeSettings,
  } as Readonly<Record<string, SettingTable>>;
  const clusterRows = Object.entries(clusterSettings as SettingTable).map(([name, setting]) => [
    setting.names.map(code).join(", "),
    Object.entries(readers)
      .filter(([, table]) => name in table)
      .map(([reader]) => reader)
      .join(", "),
    setting.defaultText,
    setting.meaning,
  ]);

  it("lists every setting as the programs have it", async () => {
    const rows = Object.values(settings as Readonly<Record<string, Setting<unknown>>>).map((setting) => [
      setting.names.map(code).join(", "),
      setting.flag === undefined ? "" : code(`--${setting.flag}`),
      setting.defaultText,
      setting.meaning,
    ]);
    const webhookRows = Object.entries(webhookMeanings).map(([name, [fallback, meaning]]) => [
      code(name),
      fallback,
      meaning,
    ]);
    let text = readFileSync(docs("configuration.md"), "utf8");

    text = withBlock(text, "settings", table(["variable", "option", "default", "meaning"], rows));
    text = withBlock(text, "webhook settings", table(["variable", "default", "meaning"], webhookRows));
    text = withBlock(text, "unused settings", unusedTable("server"));
    text = withBlock(
      text,
      "cluster settings",
      table(["variable", "read by", "default", "meaning"], clusterRows),
    );
    text = withBlock(text, "unused cluster settings", unusedTable("cluster"));

    await expect(text).toMatchFileSnapshot(docs("configuration.md"));
  });

  it("names a reader for every setting of the cluster", () => {
    expect(clusterRows.filter(([, by]) => by === "")).toEqual([]);
  });

  it("explains every variable that webhooks read", () => {
    const known = Object.keys(webhookVariables).filter((name) => name !== "WEBHOOK_ENDPOINT");

    expect(Object.keys(webhookMeanings)).toEqual(known);
  });
});

describe("docs/security.md", () => {
  it("lists the budgets as the code has them", async () => {
    const rows = Object.entries(budgets).map(([kind, { burst, perMinute, beyond }]) => [
      code(kind),
      burst.toLocaleString("en"),
      perMinute.toLocaleString("en"),
      beyond,
    ]);
    const block = table(["kind", "in a burst", "a minute", "one more"], rows);
    const text = withBlock(readFileSync(docs("security.md"), "utf8"), "budgets", block);

    await expect(text).toMatchFileSnapshot(docs("security.md"));
  });
});

describe("docs/cli.md", () => {
  it("shows the help of every command", async () => {
    const blocks = everyCommand(createProgram()).map(({ path, command }) =>
      [`### ${path}`, "", "```text", helpOf(command), "```"].join("\n"),
    );
    const text = withBlock(readFileSync(docs("cli.md"), "utf8"), "commands", blocks.join("\n\n"));

    await expect(text).toMatchFileSnapshot(docs("cli.md"));
  });

  it("lists every exit code", () => {
    const text = readFileSync(docs("cli.md"), "utf8");

    for (const value of Object.values(exitCodes)) expect(text).toContain(`| ${value} |`);
  });
});

interface Documented {
  readonly path: string;
  readonly command: Command;
}

function everyCommand(command: Command, parent = ""): Documented[] {
  const path = `${parent} ${command.name()}`.trim();
  return [{ path, command }, ...command.commands.flatMap((child) => everyCommand(child, path))];
}

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return help.trimEnd();
}
