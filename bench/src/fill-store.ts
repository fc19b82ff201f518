import { join } from "node:path";
import type { Run, Store } from "@chat21/engine";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import { openSqliteStore } from "@chat21/store-sqlite";
import { readingRuns } from "./load/reading-history.ts";
import { storedRuns } from "./load/stored-messages.ts";
import type { StoredHistory, StorePlace } from "./targets/fill-store-process.ts";

/** Fills an empty store with a history, through the store's own port. Arguments, as JSON: the place, the history. */
const [place = "", history = ""] = process.argv.slice(2);
const { store, commitsAtOnce } = await openStore(JSON.parse(place) as StorePlace);
const writes: Promise<void>[] = [];
for (const runs of runsOf(JSON.parse(history) as StoredHistory, Date.now())) {
  writes.push(write(store, runs));
  if (writes.length >= commitsAtOnce) await writes.shift();
}
await Promise.all(writes);
await store.events.flushDispatchMarks();
await store.close();

async function openStore(
  place: StorePlace,
): Promise<{ readonly store: Store; readonly commitsAtOnce: number }> {
  if ("folder" in place) {
    // One commit is made while the other is written; they are written in order.
    return { store: await openSqliteStore({ path: join(place.folder, "chat21.db") }), commitsAtOnce: 2 };
  }
  const { mongoUri: uri } = place;
  await migrateMongoStore({ uri });
  // The second commit of two might not find the conversations of the first one yet.
  return { store: await connectMongoStore({ uri }), commitsAtOnce: 1 };
}

function runsOf(history: StoredHistory, nowMs: number): Iterable<readonly Run[]> {
  return "messages" in history ? storedRuns(history, nowMs) : readingRuns(history, nowMs);
}

async function write({ events }: Store, runs: readonly Run[]): Promise<void> {
  const results = await events.commit(runs);
  const refused = results.find(({ status }) => status !== "committed");
  if (refused !== undefined) throw new Error(`the store answered ${refused.status}`);
  // The recipients have these messages: the server must not deliver the history when it starts.
  events.markDispatched(runs.flatMap((run) => run.events));
}
