import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from "../src/index.ts";

/** A folder for one test, and stores that are closed after it. */
export interface TemporaryFolder {
  path(name?: string): Promise<string>;
  open(options?: Partial<SqliteStoreOptions>): Promise<SqliteStore>;
}

/** Makes the folder when it is first asked for; closes stores and removes the folder after each test. */
export function useTemporaryFolder(): TemporaryFolder {
  let folder: Promise<string> | undefined;
  const stores: SqliteStore[] = [];

  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    if (folder !== undefined) await rm(await folder, { recursive: true });
    folder = undefined;
  });

  async function path(name = "chat21.db"): Promise<string> {
    folder ??= mkdtemp(join(tmpdir(), "chat21-store-"));
    return join(await folder, name);
  }
  return {
    path,
    async open(options = {}) {
      const store = await openSqliteStore({ path: await path(), ...options });
      stores.push(store);
      return store;
    },
  };
}
