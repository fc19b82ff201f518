import { ChatError, eventCodes } from "@chat21/protocol";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import mongoose from "mongoose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectMongoStore, migrateMongoStore } from "../src/index.ts";
import { groupRun, membersOf } from "./sample-runs.ts";
import { dropDatabase, type TestDatabase, withCollections } from "./test-database.ts";

let mongo: RequiredMongo;
const used: TestDatabase[] = [];

beforeAll(async () => {
  mongo = await requireMongo();
});
afterAll(async () => {
  for (const database of used) await dropDatabase(database);
});

function databaseOf(name: string): TestDatabase {
  const database = { uri: mongo.uri, database: `${mongo.database}-${name}` };
  used.push(database);
  return database;
}

describe("a database", () => {
  it("that was not migrated is refused, and one of a newer program", async () => {
    const empty = databaseOf("empty");

    await expect(connectMongoStore(empty)).rejects.toThrow("run the migration first");
    await withCollections(empty, ({ schema }) =>
      schema.insertOne({ _id: "schema", version: 1_000, epoch: "future" }),
    );
    await expect(connectMongoStore(empty)).rejects.toThrow("run a newer one");
    await expect(migrateMongoStore(empty)).rejects.toThrow("run a newer one");
  });

  it("is migrated once, however many do it at the same time", async () => {
    const fresh = databaseOf("fresh");

    await Promise.all([migrateMongoStore(fresh), migrateMongoStore(fresh), migrateMongoStore(fresh)]);
    const [one, two] = [await connectMongoStore(fresh), await connectMongoStore(fresh)];

    expect(one.epoch).toBe(two.epoch);
    await Promise.all([one.close(), two.close()]);
  });

  it("is migrated from the first version with what it holds", async () => {
    const old = databaseOf("old");
    await migrateMongoStore(old);
    await withCollections(old, async ({ events, leases, presence, schema }) => {
      await events.dropIndexes();
      await events.createIndex({ undispatched: 1 }, { name: "undispatched", sparse: true });
      await presence.dropIndexes();
      await presence.createIndex({ expiresAt: 1 }, { name: "expiry", sparse: true });
      await leases.drop();
      await schema.updateOne({ _id: "schema" }, { $set: { version: 1 } });
    });
    await expect(connectMongoStore(old)).rejects.toThrow("run the migration first");

    await migrateMongoStore(old);
    const store = await connectMongoStore(old);
    await store.events.commit([groupRun("group-1", 0, { members: membersOf("ann") })]);
    await store.presence.renew([{ app: "app", user: "ann", clientId: "web", expiresAt: 9 }], 1);

    const key = { app: "app", conversation: "group-1" };
    expect(await store.events.undispatched(10, Number.MAX_SAFE_INTEGER, key)).toHaveLength(1);
    expect(await store.presence.ofClient("web")).toHaveLength(1);
    const indexes = await withCollections(old, async ({ events, leases }) => [
      ...(await events.indexes()).map(({ name }) => name),
      ...(await leases.indexes()).map(({ expireAfterSeconds = 0 }) => expireAfterSeconds),
    ]);
    expect(indexes).not.toContain("undispatched");
    expect(indexes).toEqual(expect.arrayContaining(["undispatched_of", 24 * 60 * 60]));
    await store.close();
  });

  it("is migrated from the second version: erased messages become overlays, and lagging heads are raised", async () => {
    const old = databaseOf("second");
    await migrateMongoStore(old);
    let store = await connectMongoStore(old);
    const erased = { type: "erased", sender: "system", listed: false, body: '{"seqs":[[1,1]]}' };
    await store.events.commit([groupRun("group-1", 0, { count: 4, members: membersOf("ann", "bob") })]);
    await store.events.commit([groupRun("group-1", 4, { each: erased })]);
    await store.close();
    await withCollections(old, async ({ conversations, counters, events, members, schema }) => {
      const gone = { type: "erased", body: "{}", listed: false };
      await events.updateOne({ "_id.seq": 2 }, { $set: gone });
      await events.updateMany({}, { $unset: { at: "" } });
      await conversations.dropIndexes();
      await conversations.updateMany({}, { $set: { head: 3 }, $unset: { changedAt: "" } });
      await members.dropIndex("places");
      await members.updateMany({}, { $unset: { changedAt: "", changes: "", widened: "" } });
      await counters.deleteMany({});
      await schema.updateOne({ _id: "schema" }, { $set: { version: 2 }, $unset: { kinds: "" } });
    });

    await Promise.all([migrateMongoStore(old), migrateMongoStore(old)]);
    store = await connectMongoStore(old);

    const key = { app: "app", conversation: "group-1" };
    const log = await store.events.read({ ...key, limit: 9, from: "oldest" });
    expect(log.map(({ type }) => type)).toEqual(["message", "message", "message", "message", "erased"]);
    expect(log[1]).toMatchObject({
      ...{ body: "{}", listed: false },
      overlay: '{"version":0,"deleted":{"by":"system","at":0}}',
    });
    expect(log[4]).toMatchObject({ body: erased.body, overlay: null });
    const left = await store.events.read({ ...key, limit: 9, from: "oldest", withoutErased: true });
    expect(left.map(({ seq }) => seq)).toEqual([1, 3, 4, 5]);
    const all = { app: "app", user: "bob", limit: 9, eventsEach: 9, characters: 1e6 };
    const { conversations, cursor } = await store.conversations.changes(all);
    expect(conversations).toMatchObject([{ view: { head: 5, last: { seq: 4 }, unread: 3 }, from: 1 }]);
    await store.conversations.patch([{ ...key, user: "bob", read: 4 }]);
    const { conversations: since } = await store.conversations.changes({ ...all, cursor });
    expect(since).toMatchObject([{ view: { unread: 0 }, events: [], from: 6, behind: false }]);
    const stored = await withCollections(old, ({ conversations }) => conversations.findOne());
    expect(stored).toMatchObject({ head: 5, changedAt: expect.any(mongoose.mongo.Timestamp) });
    await store.close();
  });
});

describe("kinds of events", () => {
  const newer = { ...eventCodes, edited: 61, pinned: 62 };

  it("that a newer program knew keep an older one from opening the database, which says so", async () => {
    const database = databaseOf("kinds");
    await migrateMongoStore(database);
    const older = await connectMongoStore(database);
    await (await connectMongoStore({ ...database, kinds: newer })).close();

    const refused = await connectMongoStore(database).catch((error) => error);

    expect(refused).toBeInstanceOf(ChatError);
    expect(refused).toMatchObject({ code: "internal" });
    expect(refused.message).toContain("edited, pinned");
    await expect(migrateMongoStore(database)).rejects.toThrow("edited, pinned");
    await older.close();
    await (await connectMongoStore({ ...database, kinds: newer })).close();
  });

  it("that a newer process writes are read by their names in one that was opened before", async () => {
    const database = databaseOf("rolling");
    await migrateMongoStore(database);
    const older = await connectMongoStore(database);
    const store = await connectMongoStore({ ...database, kinds: newer });

    await store.events.commit([
      groupRun("group-1", 0, { members: membersOf("ann"), each: { type: "edited", listed: false } }),
    ]);

    const range = { app: "app", conversation: "group-1", limit: 9, from: "oldest" } as const;
    expect(await older.events.read(range)).toMatchObject([{ type: "edited", body: '{"text":"group-1-1"}' }]);
    expect(await older.events.read({ ...range, types: ["message"] })).toEqual([]);
    await Promise.all([older.close(), store.close()]);
  });
});
