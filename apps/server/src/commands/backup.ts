import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { OperatorError } from "@chat21/runtime";
import { loadConfig } from "../config.ts";
import { backupDatabase } from "../database-files.ts";
import { printJson, printLine } from "../output.ts";
import { createProgressBar } from "../progress-bar.ts";

/** Options of `chat21 backup`. */
export interface BackupOptions {
  readonly force?: boolean;
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** Copies the database to a file; a server may use it meanwhile. */
export async function backup(file: string, { force, dataDir, json }: BackupOptions): Promise<void> {
  const { config } = loadConfig(dataDir === undefined ? {} : { dataDir });
  const target = resolve(file);
  if (existsSync(target) && force !== true) {
    throw new OperatorError(`${target}: exists already; choose another name, or --force to replace it`);
  }
  const bar = createProgressBar("backing up");
  try {
    await backupDatabase(config.dataDir, target, (fraction) => bar.show(fraction));
  } finally {
    bar.clear();
  }
  const bytes = statSync(target).size;
  if (json === true) printJson({ file: target, bytes });
  else printLine(`${target}: ${Math.ceil(bytes / 1_024)} KiB, checked; the secret is not in it`);
}
