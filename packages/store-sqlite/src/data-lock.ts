import { DatabaseSync } from "node:sqlite";
import { ChatError } from "@chat21/protocol";

/**
 * Takes the database for this process; returns the way to give it back. The lock is that of an empty SQLite file
 * beside it, held by an open transaction: the system lets go of it however the process ends, so there is no stale
 * lock after a kill. Throws `store_unavailable` when another process (or another store in this one) has it.
 */
export function lockData(path: string): () => void {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new ChatError(
      "store_unavailable",
      `the database ${path} is in use by another process: stop that one, or use another data folder`,
      { cause },
    );
  }
  return () => lock.close();
}
