import { exitCodes } from "@chat21/runtime";
import picocolors from "picocolors";
import { loadConfig } from "../config.ts";
import { rebuildMessages } from "../database-files.ts";
import { type Finding, runChecks } from "../doctor-checks.ts";
import { printJson, printLine } from "../output.ts";

/** Options of `chat21 doctor`. */
export interface DoctorOptions {
  readonly httpPort?: string;
  readonly mqttPort?: string;
  readonly mqttWsPort?: string;
  readonly host?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
  readonly rebuild?: boolean;
}

/** Checks everything a server needs; rebuilds first where asked for. Exit code 1 when anything must be put right. */
export async function doctor({ json, rebuild, ...overrides }: DoctorOptions): Promise<void> {
  const { config, notices } = loadConfig(overrides);
  if (rebuild === true) {
    const conversations = await rebuildMessages(config.dataDir);
    if (json !== true)
      printLine(`rebuilt the changed messages of ${conversations} conversations from their logs`);
  }
  const findings = await runChecks(config);
  if (json === true) printJson({ findings, notices });
  else {
    for (const finding of findings) printLine(format(finding));
    for (const { text } of notices) printLine(format({ name: "settings", result: "warning", detail: text }));
  }
  if (findings.some(({ result }) => result === "failure")) process.exitCode = exitCodes.failure;
}

const marks = {
  ok: picocolors.green("✓"),
  warning: picocolors.yellow("!"),
  failure: picocolors.red("✗"),
} as const;

function format({ name, result, detail }: Finding): string {
  return `${marks[result]} ${name.padEnd(20)} ${detail}`;
}
