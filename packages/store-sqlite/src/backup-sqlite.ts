import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ChatError } from "@chat21/protocol";
import { type CopyProgress, copyDatabase, installDatabase, removeDatabase } from "./copy-database.ts";
import { toChatError } from "./sqlite-failure.ts";
import { requireKnownSchema } from "./worker/connection.ts";

function requireSound(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    requireKnownSchema(database, path);
    const problem = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
    if (problem !== "ok") throw new ChatError("internal", `the database is damaged: ${String(problem)}`);
  } finally {
    database.close();
  }
}

/**
 * Copies the database at `path` to the new file `target`: consistent, as of the moment of the call, and checked; a
 * server may go on writing meanwhile, in this or another process. Until it is complete the copy is called
 * `<target>.partial`. Answers its size. Throws `not_found` without a database, `conflict` when `target` exists,
 * `store_unavailable` when the disk refuses, `internal` for a damaged database.
 */
export async function backupSqlite(
  path: string,
  target: string,
  onProgress?: (progress: CopyProgress) => void,
): Promise<{ readonly bytes: number }> {
  const [from, to] = [resolve(path), resolve(target)];
  if (!existsSync(from)) throw new ChatError("not_found", `there is no database at ${from}`);
  if (existsSync(to)) throw new ChatError("conflict", `${to} exists: choose another name for the backup`);
  const partial = `${to}.partial`;
  try {
    await copyDatabase(from, partial, onProgress);
    requireSound(partial);
    installDatabase(partial, to);
  } catch (error) {
    removeDatabase(partial);
    throw toChatError(error, from);
  }
  return { bytes: statSync(to).size };
}
