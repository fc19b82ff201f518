import type { Log, Metrics } from "@chat21/engine";
import { openSqliteStore, type SqliteStore } from "@chat21/store-sqlite";
import { dataPaths } from "./data-folder.ts";
import { toOperatorError } from "./database-files.ts";

/** Opens the store of a data folder. Throws `OperatorError` for an error that an operator can put right. */
export async function openStore(dataDir: string, log: Log, metrics: Metrics): Promise<SqliteStore> {
  try {
    return await openSqliteStore({ path: dataPaths(dataDir).database, log, metrics });
  } catch (thrown) {
    throw toOperatorError(thrown);
  }
}
