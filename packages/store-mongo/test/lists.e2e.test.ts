import {
  type ConversationQuery,
  type ConversationView,
  type MemberPatch,
  withShortText,
} from "@chat21/engine";
import { limits } from "@chat21/protocol";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "../src/index.ts";
import { manyConversations, maxPlacedMembers } from "../src/list-places.ts";
import { ageApp, keepInOrder } from "./age-app.ts";
import { groupRun, membersOf } from "./sample-runs.ts";
import { dropDatabase, type TestDatabase, withCollections } from "./test-database.ts";

const conversations = 1_500;
const limit = 20;

let server: RequiredMongo;

/** A database of its own with a store on it. */
async function openStore(
  name: string,
): Promise<{ readonly store: MongoStore; readonly place: TestDatabase }> {
  const place = { uri: server.uri, database: `${server.database}-${name}` };
  await migrateMongoStore(place);
  return { store: await connectMongoStore({ ...place, headSweepMs: 100 }), place };
}

const nameOf = (index: number) => `group-${String(index).padStart(4, "0")}`;

/** Everything is dispatched, and a minute has passed; ann's lists are kept in order. */
async function age(store: MongoStore, place: TestDatabase, reader = "ann"): Promise<void> {
  await store.conversations.changes({ app: "app", user: "ann", limit: 1, eventsEach: 0, characters: 1 });
  await store.events.flushDispatchMarks();
  await keepInOrder(place, "app", reader);
  await ageApp(place, "app");
}

const listOf = async (store: MongoStore, query: Partial<ConversationQuery> = {}) => {
  const views = await store.conversations.list({ app: "app", user: "ann", archived: false, limit, ...query });
  return views.map(({ conversation, last }) => ({ conversation, timestamp: last?.timestamp ?? 0 }));
};

const namesOf = async (store: MongoStore, query: Partial<ConversationQuery> = {}) =>
  (await listOf(store, query)).map(({ conversation }) => conversation);

/** The reads that the server's profiler notes meanwhile. */
async function profiled(place: TestDatabase, run: () => Promise<unknown>) {
  return withCollections(place, async (_, client) => {
    const database = client.db(place.database);
    await database.command({ profile: 2 });
    await run();
    await database.command({ profile: 0 });
    const operations = await database
      .collection("system.profile")
      .find({ ns: /\.chat21_(conversations|events|members)$/, op: { $in: ["query", "getmore", "command"] } })
      .toArray();
    await database.collection("system.profile").drop();
    return operations;
  });
}

/** Documents that the server looked at meanwhile. */
async function examined(place: TestDatabase, run: () => Promise<unknown>): Promise<number> {
  const operations = await profiled(place, run);
  return operations.reduce((sum, { docsExamined = 0 }) => sum + docsExamined, 0);
}

beforeAll(async () => {
  // The profiler is the server's: this one is nobody else's.
  server = await requireMongo({ isOwn: true });
});
afterAll(async () => {
  await server.stop();
});

it("a list of long texts has a few of them in memory at a time, and shows their beginnings", async () => {
  const { store, place } = await openStore("long");
  const body = JSON.stringify({ text: "é".repeat(30_000), type: "text" });
  const runs = Array.from({ length: 100 }, (_, index) =>
    groupRun(nameOf(index), 0, { members: membersOf("ann", "bob"), each: { body } }),
  );
  await store.events.commit(runs);
  let views: readonly ConversationView[] = [];

  const operations = await profiled(place, async () => {
    views = await store.conversations.list({ app: "app", user: "ann", archived: false, limit: 100 });
  });

  expect(views).toHaveLength(100);
  for (const { last } of views) expect(last?.body).toBe(withShortText(body, limits.listTextCharacters + 1));
  expect(Math.max(...operations.map(({ responseLength = 0 }) => responseLength))).toBeLessThan(2_000_000);
  expect((await store.conversations.view("app", nameOf(0), "ann"))?.last?.body).toBe(body);
  await store.close();
  await dropDatabase(place);
});

describe("a page of a list", () => {
  let store: MongoStore;
  let place: TestDatabase;
  const runOf = (index: number) =>
    groupRun(nameOf(index), 0, {
      members: membersOf("ann", "bob"),
      each: { timestamp: 1_700_000_000_000 + index },
    });
  const patchOf = (index: number): MemberPatch => ({ app: "app", conversation: nameOf(index), user: "ann" });

  beforeAll(async () => {
    ({ store, place } = await openStore("pages"));
    const all = Array.from({ length: conversations }, (_, index) => index);
    await store.events.commit(all.map(runOf));
    // The newer half is in the archive.
    await store.conversations.patch(
      all.slice(conversations / 2).map((index) => ({ ...patchOf(index), archivedAt: 1 })),
    );
    await age(store, place);
  }, 60_000);
  afterAll(async () => {
    await store.close();
    await dropDatabase(place);
  });

  const middle = { timestamp: 1_700_000_000_000 + 300, conversation: nameOf(300) };
  const inArchive = { timestamp: 1_700_000_000_000 + 1_000, conversation: nameOf(1_000) };

  it.each<[string, Partial<ConversationQuery>, number]>([
    ["newest", {}, 749],
    ["newest of the archive", { archived: true }, 1_499],
    ["newest of all", { archived: null }, 1_499],
    ["next behind a place", { before: middle }, 299],
    ["next in front of a place", { after: middle, from: "oldest" }, 320],
    ["next in front of a place in the archive", { archived: true, after: inArchive, from: "oldest" }, 1_020],
    ["oldest", { from: "oldest" }, 19],
  ])("%s, costs the page, not the user's conversations", async (_, query, first) => {
    const documents = await examined(place, async () => {
      expect(await namesOf(store, query)).toEqual(
        Array.from({ length: limit }, (_, index) => nameOf(first - index)),
      );
    });

    expect(documents).toBeLessThanOrEqual(10 * limit);
  });
});

describe("lists", () => {
  it("of a database that an older version filled are right before places are made, and after", async () => {
    const { store, place } = await openStore("older");
    const all = Array.from({ length: manyConversations + 1 }, (_, index) => index);
    await store.events.commit(
      all.map((index) =>
        groupRun(nameOf(index), 0, { members: membersOf("ann", "bob"), each: { timestamp: 1_000 + index } }),
      ),
    );
    await age(store, place, "nobody");
    await store.close();
    await withCollections(place, async ({ counters, listReaders, members, schema }) => {
      await members.dropIndex("listed");
      await members.dropIndex("once_archived");
      await counters.deleteOne({ _id: "lists_swept_up_to" });
      await listReaders.drop();
      await schema.updateOne({ _id: "schema" }, { $set: { version: 7 } });
    });

    await Promise.all([migrateMongoStore(place), migrateMongoStore(place)]);
    const reopened = await connectMongoStore({ ...place, headSweepMs: 100 });
    const before = await namesOf(reopened);
    await expect
      .poll(() => withCollections(place, ({ listReaders }) => listReaders.countDocuments({ placed: true })), {
        timeout: 20_000,
      })
      .toBe(2);

    const expected = all.toReversed().slice(0, limit).map(nameOf);
    expect([before, await namesOf(reopened)]).toEqual([expected, expected]);
    await reopened.close();
    await dropDatabase(place);
  });

  it("of a user with many conversations are kept in order from the first one on", async () => {
    const { store, place } = await openStore("first");
    const all = Array.from({ length: manyConversations + 1 }, (_, index) => index);
    await store.events.commit(
      all.map((index) => groupRun(nameOf(index), 0, { members: membersOf("ann", "bob") })),
    );
    await age(store, place, "nobody");
    await store.conversations.list({ app: "app", user: "ann", archived: null, limit: 1 });

    await expect
      .poll(
        () =>
          withCollections(place, ({ listReaders }) =>
            listReaders.find({ placed: true, "_id.user": "ann" }).toArray(),
          ),
        {
          timeout: 20_000,
        },
      )
      .toMatchObject([{ _id: { app: "app", user: "ann" } }]);
    const placed = await withCollections(place, ({ members }) =>
      members.distinct("account.user", { "listed.at": { $gt: 0 } }),
    );
    expect(placed).toEqual(["ann"]);
    await store.close();
    await dropDatabase(place);
  });

  it("follow what a process of an older version archives, takes out of the archive, and archives again", async () => {
    const { store, place } = await openStore("rolling");
    const groups = [0, 1].map((index) =>
      groupRun(nameOf(index), 0, { members: membersOf("ann", "bob"), each: { timestamp: 1_000 + index } }),
    );
    await store.events.commit(groups);
    await age(store, place);
    const key = { app: "app", conversation: nameOf(0), user: "ann" };
    const lists = async () => [await namesOf(store), await namesOf(store, { archived: true })];
    // It knows no places.
    const archive = (archivedAt: number | null) =>
      withCollections(place, ({ members }) => members.updateOne({ _id: key }, { $set: { archivedAt } }));

    await archive(1);
    expect(await lists()).toEqual([[nameOf(1)], [nameOf(0)]]);
    await archive(null);
    expect(await lists()).toEqual([[nameOf(1), nameOf(0)], []]);
    await archive(1);
    await store.events.commit([groupRun(nameOf(0), 1, { each: { timestamp: 2_000 } })]);
    await age(store, place);
    expect(await lists()).toEqual([[nameOf(0), nameOf(1)], []]);
    await archive(2);
    expect(await lists()).toEqual([[nameOf(1)], [nameOf(0)]]);

    await store.close();
    await dropDatabase(place);
  });

  it("hold groups that outgrow their places, and have them from the log then", async () => {
    const { store, place } = await openStore("large");
    const crowd = Array.from({ length: maxPlacedMembers }, (_, index) => `user-${index}`);
    await store.events.commit([
      groupRun(nameOf(0), 0, { members: membersOf("ann"), each: { timestamp: 1_000 } }),
      groupRun(nameOf(1), 0, { members: membersOf("ann"), each: { timestamp: 1_500 } }),
    ]);
    await age(store, place);
    await store.events.commit([
      groupRun(nameOf(0), 1, { members: membersOf(...crowd), each: { timestamp: 2_000 } }),
    ]);
    await age(store, place);

    const placed = await withCollections(place, ({ members }) =>
      members.countDocuments({ "_id.conversation": nameOf(0), "listed.at": { $exists: true } }),
    );
    expect(placed).toBe(0);
    expect(await namesOf(store)).toEqual([nameOf(0), nameOf(1)]);
    await store.close();
    await dropDatabase(place);
  });
});
