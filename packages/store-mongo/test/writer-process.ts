import { setTimeout as delay } from "node:timers/promises";
import { connectMongoStore } from "../src/index.ts";
import { groupRun, membersOf } from "./sample-runs.ts";

/**
 * Begins a conversation, appends to it, dispatches the first events if any (their marks are written by the way), says so,
 * and waits to be killed.
 */
const [uri = "", database = "", conversation = "", dispatched = "0"] = process.argv.slice(2);
const store = await connectMongoStore({ uri, database });
const members = membersOf("ann", "bob", "cid");
await store.events.commit([groupRun(conversation, 0, { members })]);
await store.events.commit([groupRun(conversation, 1)]);
const seqs = Array.from({ length: Number(dispatched) }, (_, index) => index + 1);
if (seqs.length > 0) {
  store.events.markDispatched(seqs.map((seq) => ({ app: "app", conversation, seq })));
  await delay(1_000);
}
process.stdout.write("committed\n");
setInterval(() => {}, 1_000);
