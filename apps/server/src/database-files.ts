import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { checkOverlays, type OverlayProblem, rebuildOverlays } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { OperatorError } from "@chat21/runtime";
import {
  backupSqlite,
  checkSqlite,
  openSqliteStore,
  readSqlite,
  restoreSqlite,
  type SqliteReport,
} from "@chat21/store-sqlite";
import { dataPaths } from "./data-folder.ts";

/** Turns the store's own refusals, which say what to do, into `OperatorError`s; other errors stay as they are. */
export function toOperatorError(thrown: unknown): unknown {
  return thrown instanceof ChatError ? new OperatorError(thrown.message, { cause: thrown }) : thrown;
}

/** Copies the database of a data folder; a server may use it meanwhile. A file at `target` is replaced at the end. */
export async function backupDatabase(
  dataDir: string,
  target: string,
  onProgress: (fraction: number) => void,
): Promise<void> {
  const folder = dirname(target);
  if (!existsSync(folder)) throw new OperatorError(`${folder}: there is no such folder for the backup`);
  const fresh = `${target}.new`;
  rmSync(fresh, { force: true });
  try {
    await backupSqlite(dataPaths(dataDir).database, fresh, ({ copiedPages, totalPages }) =>
      onProgress(totalPages === 0 ? 1 : copiedPages / totalPages),
    );
    renameSync(fresh, target);
  } catch (thrown) {
    rmSync(fresh, { force: true });
    throw toOperatorError(thrown);
  }
}

/**
 * Puts a backup in the place of a data folder's database. Answers where the replaced one is kept, `undefined` when
 * there was none. Throws `OperatorError` while a server uses the folder.
 */
export async function restoreDatabase(dataDir: string, source: string): Promise<string | undefined> {
  const { database } = dataPaths(dataDir);
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const kept = existsSync(database) ? `${database}.replaced-${stamp}` : undefined;
  try {
    if (kept !== undefined) await keep(database, kept);
    await restoreSqlite(source, database, { force: true });
    return kept;
  } catch (thrown) {
    if (kept !== undefined) for (const suffix of ["", "-wal"]) rmSync(`${kept}${suffix}`, { force: true });
    throw toOperatorError(thrown);
  }
}

/** Keeps a proper copy where possible, and the bare files of a damaged database. */
async function keep(database: string, kept: string): Promise<void> {
  try {
    await backupSqlite(database, kept);
  } catch {
    for (const suffix of ["", "-wal"]) {
      if (existsSync(`${database}${suffix}`)) copyFileSync(`${database}${suffix}`, `${kept}${suffix}`);
    }
  }
}

/** Checks the database of a data folder. Throws `OperatorError` for one that cannot be read. */
export function checkDatabase(dataDir: string): SqliteReport {
  try {
    return checkSqlite(dataPaths(dataDir).database);
  } catch (thrown) {
    throw toOperatorError(thrown);
  }
}

/** Wrong overlays that are reported one by one, at most. */
const problemsTold = 1_000;

/**
 * Compares the changed messages of a data folder's database with its log; a server may use it meanwhile. `null`: the
 * database is of an older schema, and has nothing to compare yet.
 */
export async function checkMessages(dataDir: string): Promise<readonly OverlayProblem[] | null> {
  try {
    const log = readSqlite(dataPaths(dataDir).database);
    if (log === null) return null;
    try {
      const problems: OverlayProblem[] = [];
      for await (const problem of checkOverlays(log)) {
        problems.push(problem);
        if (problems.length === problemsTold) break;
      }
      return problems;
    } finally {
      log.close();
    }
  } catch (thrown) {
    throw toOperatorError(thrown);
  }
}

/** Writes all changed messages anew from the log; answers in how many conversations. No server may use the folder. */
export async function rebuildMessages(dataDir: string): Promise<number> {
  try {
    const store = await openSqliteStore({ path: dataPaths(dataDir).database });
    try {
      return await rebuildOverlays(store);
    } finally {
      await store.close();
    }
  } catch (thrown) {
    throw toOperatorError(thrown);
  }
}
