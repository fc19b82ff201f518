import { connectMongoStore } from "../src/index.ts";
import { groupRun, membersOf } from "./sample-runs.ts";

/** Begins a conversation, appends to it, says so, and waits to be killed. */
const [uri = "", database = "", conversation = ""] = process.argv.slice(2);
const store = await connectMongoStore({ uri, database });
await store.events.commit([groupRun(conversation, 0, { members: membersOf("ann", "bob", "cid") })]);
await store.events.commit([groupRun(conversation, 1)]);
process.stdout.write("committed\n");
setInterval(() => {}, 1_000);
