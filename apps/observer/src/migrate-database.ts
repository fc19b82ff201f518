import { OperatorError, uriLabel } from "@chat21/runtime";
import { migrateMongoStore } from "@chat21/store-mongo";
import type { ObserverConfig } from "./config.ts";

/** Migrates the database to the schema of this version; answers the text to print. Throws `OperatorError`. */
export async function migrateDatabase({ mongoUri: uri }: Pick<ObserverConfig, "mongoUri">): Promise<string> {
  const where = `MongoDB at ${uriLabel(uri)}`;
  try {
    await migrateMongoStore({ uri });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError(`${where}: ${why}; check MONGODB_URI`, { cause });
  }
  return `${where}: the schema is up to date`;
}
