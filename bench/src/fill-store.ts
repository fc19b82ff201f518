import { join } from "node:path";
import type { Run, Store } from "@chat21/engine";
import { openSqliteStore } from "@chat21/store-sqlite";
import { type StoredShape, storedRuns } from "./load/stored-messages.ts";

/** Fills the store of a data folder with a history, through the store's own port. Arguments: folder, shape as JSON. */
const [folder = "", shape = ""] = process.argv.slice(2);
const store = await openSqliteStore({ path: join(folder, "chat21.db") });
// Two commits under way: one is made while the other is written.
let previous: Promise<void> = Promise.resolve();
for (const runs of storedRuns(JSON.parse(shape) as StoredShape, Date.now())) {
  const current = write(store, runs);
  await previous;
  previous = current;
}
await previous;
await store.close();

async function write({ events }: Store, runs: readonly Run[]): Promise<void> {
  const results = await events.commit(runs);
  const refused = results.find(({ status }) => status !== "committed");
  if (refused !== undefined) throw new Error(`the store answered ${refused.status}`);
  // Their recipients have them: the server must not deliver the history when it starts.
  events.markDispatched(runs.flatMap((run) => run.events));
}
