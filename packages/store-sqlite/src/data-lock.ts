import { DatabaseSync } from "node:sqlite";
import { ChatError } from "@chat21/protocol";
import { toChatError } from "./sqlite-failure.ts";
import { isBusy } from "./worker/failure.ts";

/**
 * Locks the database for this process; returns the function that unlocks it. The lock is an open transaction on an
 * empty SQLite file beside the database. The system releases it however the process ends, so there is no stale lock
 * after a kill. Throws `store_unavailable` when another process (or another store in this one) has it.
 */
export function lockData(path: string): () => void {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(`${path}.lock`);
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (thrown) {
    lock?.close();
    if (!isBusy(thrown)) throw toChatError(thrown, `${path}.lock`);
    const advice = "stop that one, or use another data folder";
    throw new ChatError("store_unavailable", `the database ${path} is in use by another process: ${advice}`, {
      cause: thrown,
    });
  }
  return () => lock.close();
}
