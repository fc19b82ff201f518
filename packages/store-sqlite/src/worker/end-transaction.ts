import type { DatabaseSync } from "node:sqlite";

/**
 * Ends a transaction that an error may have ended already. (`isTransaction` would tell, but is younger than the oldest
 * Node that runs this.)
 */
export function endTransaction(database: DatabaseSync, how: "COMMIT" | "ROLLBACK"): void {
  try {
    database.exec(how);
  } catch (thrown) {
    const isOver = thrown instanceof Error && thrown.message.includes("no transaction is active");
    if (!isOver) throw thrown;
  }
}
