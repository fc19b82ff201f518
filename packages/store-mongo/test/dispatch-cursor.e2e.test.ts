import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "../src/index.ts";
import { groupRun } from "./sample-runs.ts";
import { dropDatabase, withCollections } from "./test-database.ts";

const program = fileURLToPath(new URL("writer-process.ts", import.meta.url));

let mongo: RequiredMongo;
let store: MongoStore;

beforeEach(async () => {
  mongo = await requireMongo();
  await migrateMongoStore(mongo);
  store = await connectMongoStore(mongo);
});
afterEach(async () => {
  await store.close();
  await dropDatabase(mongo);
});

/** What any process of the store finds. */
const undispatched = async (of = store) =>
  (await of.events.undispatched(100, Number.MAX_SAFE_INTEGER)).map(
    ({ conversation, seq }) => `${conversation} ${seq}`,
  );

const refs = (conversation: string, ...seqs: number[]) =>
  seqs.map((seq) => ({ app: "app", conversation, seq }));

const writers = () => withCollections(mongo, (collections) => collections.writers.find().toArray());

/** Events that carry marks of their own. */
const marked = () =>
  withCollections(mongo, async ({ events }) => {
    const found = await events.find({ undispatched: { $exists: true } }).toArray();
    return found.map(({ _id }) => `${_id.conversation} ${_id.seq}`).toSorted();
  });

/** A process that commits two events, has dispatched the first `dispatched` of them for a second, and is killed. */
async function commitAndDie(conversation: string, dispatched: number): Promise<void> {
  const args = [program, mongo.uri, mongo.database, conversation, String(dispatched)];
  const child = spawn(process.execPath, ["--conditions=@chat21/source", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("a process that died", () => {
  it("leaves what it had not dispatched to the others, and nothing else", async () => {
    await commitAndDie("group-1", 0);
    await commitAndDie("group-2", 2);

    await expect.poll(() => undispatched(), { timeout: 15_000 }).toEqual(["group-1 1", "group-1 2"]);
    store.events.markDispatched(refs("group-1", 1, 2));

    expect(await undispatched()).toEqual([]);
    // Looked for again and again while the dead process is remembered.
    expect(await undispatched()).toEqual([]);
  });
});

describe("a process that lives", () => {
  it("writes no mark for an event that is dispatched soon", async () => {
    await store.events.commit([groupRun("group-1", 0), groupRun("group-2", 0)]);
    store.events.markDispatched([...refs("group-1", 1), ...refs("group-2", 1)]);
    const [before] = await writers();
    await expect.poll(async () => (await writers())[0]?.dispatchedTo).not.toEqual(before?.dispatchedTo);

    expect(await marked()).toEqual([]);
    expect(await undispatched()).toEqual([]);
  });

  it("gives an event that waits long a mark of its own, which goes when it is dispatched", async () => {
    await store.events.commit([groupRun("group-slow", 0)]);
    await store.events.commit([groupRun("group-1", 0)]);
    store.events.markDispatched(refs("group-1", 1));

    await expect.poll(marked, { timeout: 20_000 }).toEqual(["group-slow 1"]);
    const other = await connectMongoStore(mongo);
    const found = await undispatched(other);
    store.events.markDispatched(refs("group-slow", 1));
    await store.events.flushDispatchMarks();

    expect(found).toEqual(["group-slow 1"]);
    expect(await marked()).toEqual([]);
    await other.close();
  });

  it("leaves no writer behind when it closes, and marks on what it had not dispatched", async () => {
    const other = await connectMongoStore(mongo);
    await other.events.commit([groupRun("group-1", 0, { count: 2 })]);
    other.events.markDispatched(refs("group-1", 1));
    await other.close();

    expect(await writers()).toHaveLength(1);
    expect(await undispatched()).toEqual(["group-1 2"]);
  });
});
