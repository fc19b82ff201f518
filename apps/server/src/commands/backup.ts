import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { OperatorError } from "@chat21/runtime";
import { loadConfig } from "../config.ts";
import { backupDatabase } from "../database-files.ts";
import { printLine } from "../output.ts";
import { createProgressBar } from "../progress-bar.ts";

/** Options of `chat21 backup`. */
export interface BackupOptions {
  readonly force?: boolean;
  readonly dataDir?: string;
}

/** Copies the database to a file; a server may use it meanwhile. */
export async function backup(file: string, { force, dataDir }: BackupOptions): Promise<void> {
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
  printLine(`${target}: ${Math.ceil(statSync(target).size / 1_024)} KiB, checked; the secret is not in it`);
}
