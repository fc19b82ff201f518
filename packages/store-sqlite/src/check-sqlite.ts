import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StoredWebhookDelivery } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import { toChatError } from "./sqlite-failure.ts";
import { requireKnownSchema } from "./worker/connection.ts";
import { DispatchLog, dispatchedRow } from "./worker/dispatch-log.ts";
import { schemaVersion } from "./worker/migrations.ts";

/** Result of {@link checkSqlite}. */
export interface SqliteReport {
  readonly path: string;
  readonly epoch: string;
  /**
   * Schema version of the file, and the newest version this code knows. An older one is migrated when the store is
   * opened.
   */
  readonly schema: { readonly version: number; readonly supported: number };
  /** Complaints of SQLite's integrity check, ten lines at most; empty when all is well. */
  readonly problems: readonly string[];
  /** This count and the next two are 0 where damage prevents counting. */
  readonly conversations: number;
  readonly events: number;
  /** Events that the next start dispatches (again). */
  readonly undispatched: number;
  readonly webhooks: Readonly<Record<StoredWebhookDelivery["state"], number>>;
  readonly bytes: { readonly database: number; readonly log: number };
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

function countOf(database: DatabaseSync, sql: string): number {
  return Number(database.prepare(sql).get()?.["n"] ?? 0);
}

function metaOf(database: DatabaseSync, name: string): string | undefined {
  return database.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.["value"] as string | undefined;
}

function countWebhooks(database: DatabaseSync): SqliteReport["webhooks"] {
  const counts = { pending: 0, delivered: 0, dead: 0 };
  for (const { state, n } of database
    .prepare("SELECT state, count(*) AS n FROM webhook_delivery GROUP BY state")
    .all()) {
    counts[state as keyof typeof counts] = Number(n);
  }
  return counts;
}

/** Events at positions that are not marked as dispatched. Patches took some of the numbers between. */
function countUndispatched(database: DatabaseSync): number {
  const last = countOf(database, "SELECT max(position) AS n FROM event_content");
  const between = database.prepare("SELECT count(*) AS n FROM event_content WHERE position BETWEEN ? AND ?");
  const open = DispatchLog.parse(metaOf(database, dispatchedRow)).open(last);
  return open.reduce((sum, span) => sum + Number(between.get(...span)?.["n"]), 0);
}

function inspect(database: DatabaseSync, path: string): SqliteReport {
  const version = requireKnownSchema(database, path);
  if (version === 0) throw new ChatError("not_found", `there is no database at ${path}`);
  const problems = database
    .prepare("PRAGMA integrity_check(10)")
    .all()
    .map((row) => String(Object.values(row)[0]))
    .filter((problem) => problem !== "ok");
  const counted = (count: () => number) => {
    try {
      return count();
    } catch (error) {
      if (problems.length === 0) throw error;
      return 0;
    }
  };
  return {
    path,
    epoch: metaOf(database, "epoch") ?? "",
    schema: { version, supported: schemaVersion },
    problems,
    conversations: counted(() => countOf(database, "SELECT count(*) AS n FROM conversation")),
    events: counted(() => countOf(database, "SELECT count(*) AS n FROM event")),
    undispatched: counted(() => countUndispatched(database)),
    webhooks: countWebhooks(database),
    bytes: { database: sizeOf(path), log: sizeOf(`${path}-wal`) },
  };
}

/**
 * Checks a database and changes nothing; a server may use it meanwhile. Blocks the calling thread: it reads the whole
 * file (about a second for 300 MB). Throws `not_found` without a database and `internal` for one that cannot be read.
 * Damage to a database that can be read is reported in `problems`.
 */
export function checkSqlite(path: string): SqliteReport {
  const file = resolve(path);
  if (!existsSync(file)) throw new ChatError("not_found", `there is no database at ${file}`);
  try {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      database.exec("PRAGMA busy_timeout = 5000");
      return inspect(database, file);
    } finally {
      database.close();
    }
  } catch (error) {
    throw toChatError(error, file);
  }
}
