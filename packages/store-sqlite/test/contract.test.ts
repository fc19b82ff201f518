import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeStore } from "@chat21/testkit";
import { openSqliteStore } from "../src/index.ts";

describeStore("SQLite store", async () => {
  const folder = await mkdtemp(join(tmpdir(), "chat21-store-"));
  const path = join(folder, "chat21.db");
  let store = await openSqliteStore({ path });
  return {
    store,
    async reopen() {
      await store.close();
      store = await openSqliteStore({ path });
      return store;
    },
    async cleanup() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});
