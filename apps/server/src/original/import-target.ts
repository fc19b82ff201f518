import { existsSync } from "node:fs";
import type { OriginalImportTarget } from "@chat21/original/database";
import { ChatError } from "@chat21/protocol";
import { OperatorError, uriLabel } from "@chat21/runtime";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import { dataPaths, prepareDataFolder } from "../data-folder.ts";
import { toOperatorError } from "../database-files.ts";
import { openStore } from "../open-store.ts";

const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };
const metrics = { count: silent, gauge: silent, observe: silent };

/** Opens the data folder's database. Rejects with an `OperatorError` while a server uses it. */
export async function openSqliteTarget(dataDir: string, isDryRun: boolean): Promise<OriginalImportTarget> {
  const { database } = dataPaths(dataDir);
  if (isDryRun && !existsSync(database)) return { name: database, store: null };
  prepareDataFolder(dataDir);
  return { name: database, store: await openStore(dataDir, log, metrics) };
}

/** Opens, and prepares, a store in MongoDB. Rejects with an `OperatorError` while observers run on it. */
export async function connectMongoTarget(uri: string, isDryRun: boolean): Promise<OriginalImportTarget> {
  const name = `MongoDB at ${uriLabel(uri)}`;
  try {
    if (!isDryRun) await migrateMongoStore({ uri });
    const store = await connectMongoStore({ uri });
    const observers = await store.leases.list("observer/");
    if (observers.length === 0) return { name, store };
    await store.close();
    throw new OperatorError(
      `${name}: ${observers.length} observer(s) work on it; stop them first, or wait until their leases have run out`,
    );
  } catch (thrown) {
    const isUnprepared = thrown instanceof ChatError && thrown.message.includes("run the migration first");
    if (isDryRun && isUnprepared) return { name, store: null };
    throw toOperatorError(thrown);
  }
}
