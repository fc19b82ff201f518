import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import {
  importOriginalDatabase,
  OriginalDatabase,
  type OriginalImportSummary,
  type OriginalImportTarget,
  openRejectsFile,
} from "@chat21/original/database";
import { isId } from "@chat21/protocol";
import { OperatorError } from "@chat21/runtime";
import { loadConfig } from "../config.ts";
import { printAside, printJson, printLine } from "../output.ts";
import { createProgressBar } from "../progress-bar.ts";
import { connectMongoTarget, openSqliteTarget } from "./import-target.ts";
import { printSummary } from "./print-summary.ts";

/** Options of `chat21 import`. */
export interface ImportCommandOptions {
  readonly into?: string;
  readonly app?: readonly string[];
  readonly dryRun?: boolean;
  readonly rejects?: string;
  readonly workDir?: string;
  readonly json?: boolean;
  readonly dataDir?: string;
}

/** Imports an original Chat21's database into the new store. */
export async function importOriginal(uri: string, options: ImportCommandOptions): Promise<void> {
  const { into, app, dryRun: isDryRun = false } = options;
  for (const address of [uri, ...(into === undefined ? [] : [into])]) requireMongoUri(address);
  for (const id of app ?? []) if (!isId(id)) throw new OperatorError(`--app: ${id} cannot be an app's id`);
  const workDir = chooseWorkDir(options.workDir);
  const bar = createProgressBar(isDryRun ? "looking" : "importing");
  const signal = abortOnSignal(bar.clear);
  const rejects = openRejectsFile(options.rejects);
  const database = await OriginalDatabase.connect(uri);
  let target: OriginalImportTarget | undefined;
  try {
    target = await openTarget(options, isDryRun);
    const summary = await importOriginalDatabase({
      database,
      target,
      workDir,
      apps: app === undefined ? null : new Set(app),
      isDryRun,
      signal,
      onRefused: (item) => rejects.add(item),
      onProgress: (fraction) => bar.show(fraction),
    });
    bar.clear();
    conclude(summary, options);
  } finally {
    bar.clear();
    rejects.close();
    await target?.store?.close();
    await database.close();
  }
}

function openTarget(
  { into, dataDir }: ImportCommandOptions,
  isDryRun: boolean,
): Promise<OriginalImportTarget> {
  if (into !== undefined) return connectMongoTarget(into, isDryRun);
  const { config } = loadConfig(dataDir === undefined ? {} : { dataDir });
  return openSqliteTarget(config.dataDir, isDryRun);
}

function requireMongoUri(uri: string): void {
  if (/^mongodb(\+srv)?:\/\//.test(uri)) return;
  throw new OperatorError("a database's address begins with mongodb:// and ends with the database's name");
}

function chooseWorkDir(given: string | undefined): string {
  const folder = resolve(given ?? tmpdir());
  if (!existsSync(folder)) throw new OperatorError(`${folder}: there is no such folder to work in`);
  // Where SQLite puts what it sorts.
  // biome-ignore lint/style/noProcessEnv: it is SQLite that reads it
  process.env["SQLITE_TMPDIR"] = folder;
  return folder;
}

/** The first signal ends the import between two batches; a second one ends the process. */
function abortOnSignal(clear: () => void): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      clear();
      printAside("ending after what is being written");
      controller.abort(new OperatorError("ended before anything was written; nothing has changed"));
    });
  }
  return controller.signal;
}

function conclude(summary: OriginalImportSummary, { json, rejects }: ImportCommandOptions): void {
  const { complete, dryRun, tookMs, target, source, refused, conversations } = summary;
  if (json === true) printJson(summary);
  else {
    printSummary(summary);
    printLine();
    const seconds = Math.max(1, Math.round(tookMs / 1_000));
    printLine(`${source} into ${target}: ${dryRun ? "only looked at, " : ""}${seconds} s`);
  }
  const isRefused = Object.keys(refused).length > 0;
  if (isRefused && rejects === undefined) {
    printAside("--rejects <file> writes down everything that is not taken over, with the reason");
  }
  if (conversations.skipped > 0) {
    printAside(
      `${conversations.skipped} conversation(s) were written to in the new store before the import, and numbers are ` +
        "given once: their old messages stay in the original's database",
    );
  }
  if (!complete) throw new OperatorError("ended early; the same command goes on where it stopped");
}
