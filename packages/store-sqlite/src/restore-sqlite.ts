import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ChatError } from "@chat21/protocol";
import { copyDatabase, installDatabase, removeDatabase } from "./copy-database.ts";
import { lockData } from "./data-lock.ts";
import { toChatError } from "./sqlite-failure.ts";
import { requireKnownSchema } from "./worker/connection.ts";

/** Options of {@link restoreSqlite}. */
export interface RestoreOptions {
  /** Replace a database that is there. @default false */
  readonly force?: boolean;
}

function prepare(copy: string, source: string): string {
  const database = new DatabaseSync(copy);
  try {
    if (requireKnownSchema(database, source) === 0) {
      throw new ChatError("bad_request", `${source} is not a backup of Chat21`);
    }
    const problem = Object.values(database.prepare("PRAGMA integrity_check(1)").get() ?? {})[0];
    if (problem !== "ok") {
      throw new ChatError(
        "internal",
        `the backup ${source} is damaged (${String(problem)}): use another one`,
      );
    }
    const epoch = randomUUID();
    database.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(epoch);
    return epoch;
  } finally {
    database.close();
  }
}

/**
 * Checks the backup `source` and puts it in place of the database at `path`. It gets a new epoch, so that clients that
 * have seen later numbers begin afresh. At every moment `path` holds either the old database or the restored one.
 * Throws `not_found` without a source, `conflict` when there is a database already and `force` is not given,
 * `store_unavailable` while a server uses it, `bad_request` for a file that is no backup, `internal` for a damaged one.
 */
export async function restoreSqlite(
  source: string,
  path: string,
  { force = false }: RestoreOptions = {},
): Promise<{ readonly epoch: string }> {
  const [from, to] = [resolve(source), resolve(path)];
  if (!existsSync(from)) throw new ChatError("not_found", `there is no backup at ${from}`);
  mkdirSync(dirname(to), { recursive: true });
  const unlock = lockData(to);
  const copy = `${to}.restoring`;
  try {
    if (existsSync(to) && !force) {
      throw new ChatError("conflict", `there is a database at ${to} already: restoring would replace it`);
    }
    await copyDatabase(from, copy);
    const epoch = prepare(copy, from);
    installDatabase(copy, to);
    return { epoch };
  } catch (error) {
    removeDatabase(copy);
    throw toChatError(error, from);
  } finally {
    unlock();
  }
}
