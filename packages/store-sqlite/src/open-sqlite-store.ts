import { accessSync, closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Log, Metrics } from "@chat21/engine";
import { ChatError, type EventCodes, eventCodes } from "@chat21/protocol";
import { lockData } from "./data-lock.ts";
import { createSqliteStore, type SqliteStore } from "./sqlite-store.ts";
import { ConversationEnds } from "./worker/conversation-ends.ts";
import type { WriterMethods } from "./worker/writer-methods.ts";
import { WorkerLink } from "./worker-link.ts";
import { createWorkerSpawner } from "./worker-spawner.ts";

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions {
  /** The database file; made, with its folder, when there is none. Beside it lie `-wal`, `-shm` and `.lock`. */
  readonly path: string;
  /**
   * Kinds of events that the program knows, and their stored numbers. The database remembers every kind that it was
   * ever opened with. @default those of this version
   */
  readonly kinds?: EventCodes;
  /** @default nothing is logged */
  readonly log?: Log;
  /** Counts `store_errors`. @default nothing is counted */
  readonly metrics?: Pick<Metrics, "count">;
  /** Writes beyond this size fail as `store_unavailable`. @default no bound but the disk */
  readonly maxBytes?: number;
  /**
   * URL of `sqlite-worker`, for a bundle that renames it. @default beside this module, `.ts` in source and `.js` when
   * built
   */
  readonly workerUrl?: URL;
}

function requireWritableFolder(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ChatError(
      "store_unavailable",
      `the folder ${folder} cannot be written: give this user the right to, or use another data folder`,
      { cause },
    );
  }
}

/** Opens the file, and makes it when there is none; SQLite takes an empty file for a new database. */
function openDatabaseFile(path: string, unlock: () => void): number {
  try {
    return openSync(path, "a");
  } catch (cause) {
    unlock();
    const advice = "give this user the right to, or use another data folder";
    throw new ChatError("store_unavailable", `the database ${path} cannot be written: ${advice}`, { cause });
  }
}

/**
 * Opens the store: makes or migrates the database, and starts its two threads. Resolves when both serve. Rejects with
 * a `ChatError` whose message says what to do: another process uses the database, the folder cannot be written, the
 * file is damaged, is not ours, has a newer schema, or may hold events of a kind that `kinds` lacks.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const path = resolve(options.path);
  requireWritableFolder(path);
  const spawn = await createWorkerSpawner(options.workerUrl);
  const unlock = lockData(path);
  const { log, metrics } = options;
  const onDeath = (error: ChatError) => {
    log?.error({ err: error, path }, "a database thread ended; the next call starts another");
    metrics?.count("store_errors", { kind: "thread" });
  };
  const databaseFile = openDatabaseFile(path, unlock);
  const { kinds = eventCodes, maxBytes } = options;
  const ends = ConversationEnds.allocate();
  const linkTo = (role: "reader" | "writer") =>
    new WorkerLink({ spawn, setup: { role, path, kinds, ends, maxBytes, databaseFile }, onDeath });
  const [writer, reader] = [linkTo("writer"), linkTo("reader")];
  const release = () => {
    closeSync(databaseFile);
    unlock();
  };
  try {
    const [{ epoch }] = await Promise.all([writer.start(), reader.start()]);
    // The lock proves that earlier lease holders are gone: webhooks need not wait until their leases run out.
    await writer.caller<WriterMethods>()("releaseWebhooks");
    return createSqliteStore({ epoch, writer, reader, log, release });
  } catch (error) {
    await Promise.all([writer.close(), reader.close()]);
    release();
    throw error;
  }
}
