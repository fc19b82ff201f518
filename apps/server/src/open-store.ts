import type { Log, Metrics, Store } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { openSqliteStore } from "@chat21/store-sqlite";
import { dataPaths } from "./data-folder.ts";
import { OperatorError } from "./operator-error.ts";

/** Opens the store of a data folder. Throws `OperatorError` for what an operator can put right. */
export async function openStore(dataDir: string, log: Log, metrics: Metrics): Promise<Store> {
  return explained(openSqliteStore({ path: dataPaths(dataDir).database, log, metrics }));
}

/** The store's own refusals say what to do; to an operator they are no accident. */
async function explained<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (cause) {
    throw cause instanceof ChatError ? new OperatorError(cause.message, { cause }) : cause;
  }
}
