import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import * as sqlite from "node:sqlite";
import { ChatError } from "@chat21/protocol";

/** Progress of a copy. Pages are 4 KiB. */
export interface CopyProgress {
  readonly copiedPages: number;
  readonly totalPages: number;
}

/** Pages copied between two reports: about 16 MiB, a tenth of a second. */
const pagesPerStep = 4_096;

/** Removes a database and the files that belong to it. */
export function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(`${path}${suffix}`, { force: true });
}

/**
 * Copies a database, as of the moment of the call, while others go on writing to it. A read transaction holds the
 * snapshot; without it every commit would make the copy begin anew. The copy is one file (no `-wal`).
 */
export async function copyDatabase(
  source: string,
  target: string,
  onProgress: (progress: CopyProgress) => void = () => {},
): Promise<void> {
  if (typeof sqlite.backup !== "function") {
    throw new ChatError("unsupported", "copying a database needs Node 22.16 or newer");
  }
  removeDatabase(target);
  const database = new sqlite.DatabaseSync(source, { readOnly: true });
  try {
    database.exec("PRAGMA busy_timeout = 5000; BEGIN; SELECT count(*) FROM sqlite_schema");
    await sqlite.backup(database, target, {
      rate: pagesPerStep,
      progress: ({ totalPages, remainingPages }) =>
        onProgress({ copiedPages: totalPages - remainingPages, totalPages }),
    });
  } finally {
    database.close();
  }
  const copy = new sqlite.DatabaseSync(target);
  copy.exec("PRAGMA journal_mode = DELETE");
  copy.close();
}

function syncPath(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

/** Gives a finished database its name. After a power cut either the old database or the new one is there, complete. */
export function installDatabase(from: string, to: string): void {
  syncPath(from);
  // The log of the old database must never meet the new one: SQLite would carry it over.
  for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(`${to}${suffix}`, { force: true });
  renameSync(from, to);
  syncPath(dirname(to));
}
