import { fsyncSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/**
 * Carries the write-ahead log over into the database, beside the commits.
 *
 * Left to SQLite, the commit that fills the log would do this: measured here, 5 to 25 ms every 1,000 pages, and far
 * more on a disk with slow fsyncs. So the writer never does. When it has written about 4,000 pages, this worker copies
 * them with a second connection (`PASSIVE`: commits go on meanwhile, into the same log) and syncs the database file.
 * Only then the writer carries over the few pages that were committed in the meantime, which takes it less than one
 * commit, and the next commit starts the log from its beginning.
 */
export function createCheckpoint(path: string, databaseFile: number): () => void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL");
  return () => {
    database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    fsyncSync(databaseFile);
  };
}
