import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { OperatorError } from "@chat21/runtime";
import { loadConfig } from "../config.ts";
import { dataPaths, prepareDataFolder } from "../data-folder.ts";
import { restoreDatabase } from "../database-files.ts";
import { printJson, printLine } from "../output.ts";

/** Options of `chat21 restore`. */
export interface RestoreOptions {
  readonly force?: boolean;
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** Puts a backup in the place of the database. */
export async function restore(file: string, { force, dataDir, json }: RestoreOptions): Promise<void> {
  const { config } = loadConfig(dataDir === undefined ? {} : { dataDir });
  const source = resolve(file);
  const { database } = dataPaths(config.dataDir);
  if (!existsSync(source)) throw new OperatorError(`${source}: there is no such file`);
  prepareDataFolder(config.dataDir);
  if (existsSync(database) && force !== true) {
    throw new OperatorError(
      `${database}: there is data already; --force replaces it and keeps it beside the new one`,
    );
  }
  const kept = await restoreDatabase(config.dataDir, source);
  if (json === true) return printJson({ database, kept: kept ?? null });
  printLine(`${database}: restored; clients will load afresh`);
  if (kept !== undefined)
    printLine(`${kept}: what was there before; remove it when you do not need it any more`);
}
