import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ChangeQuery, Changes, Store } from "@chat21/engine";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import mongoose from "mongoose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "../src/index.ts";
import { groupRun, membersOf } from "./sample-runs.ts";
import { dropDatabase, withCollections } from "./test-database.ts";

const writer = fileURLToPath(new URL("writer-process.ts", import.meta.url));

let mongo: RequiredMongo;
let store: MongoStore;

const open = () => connectMongoStore({ ...mongo, headSweepMs: 3_600_000 });

beforeEach(async () => {
  mongo = await requireMongo();
  await migrateMongoStore(mongo);
  store = await open();
});
afterEach(async () => {
  await store.close();
  await dropDatabase(mongo);
});

const changes = (of: Store, user: string, query: Partial<ChangeQuery> = {}) =>
  of.conversations.changes({ app: "app", user, limit: 1_000, eventsEach: 10, characters: 1e6, ...query });

const found = ({ conversations }: Changes) =>
  conversations.map(({ view, events }) => [view.conversation, events.map(({ seq }) => seq)]);

const undispatched = () => store.events.undispatched(10, Number.MAX_SAFE_INTEGER);

const minute = 60;

/** As if all stamps so far were a minute older. */
async function ageStamps(): Promise<void> {
  await withCollections(mongo, async ({ conversations, members }) => {
    for (const collection of [conversations, members] as unknown as mongoose.mongo.Collection[]) {
      for await (const { _id, changedAt } of collection.find({ changedAt: { $exists: true } })) {
        const earlier = new mongoose.mongo.Timestamp({ t: changedAt.t - minute, i: changedAt.i });
        await collection.updateOne({ _id }, { $set: { changedAt: earlier } });
      }
    }
  });
}

/** As if nobody had compared heads with logs for a minute. */
async function ageSweep(): Promise<void> {
  const ticks = minute * 2 ** 20;
  await withCollections(mongo, ({ counters }) => counters.updateMany({}, { $inc: { value: -ticks } }));
}

const headOf = (conversation: string) =>
  withCollections(
    mongo,
    async ({ conversations }) => (await conversations.findOne({ _id: { app: "app", conversation } }))?.head,
  );

/** A process that commits an event, and is killed before it has written the head. */
async function commitAndDie(conversation: string): Promise<void> {
  const args = ["--conditions=@chat21/source", writer, mongo.uri, mongo.database, conversation];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("changes that a process committed which died", () => {
  it("are found at once, and after it was dispatched, too", async () => {
    const { cursor } = await changes(store, "ann");

    await commitAndDie("group-1");

    expect(await headOf("group-1")).toBe(1);
    expect(found(await changes(store, "ann", { cursor }))).toEqual([["group-1", [1, 2]]]);
    store.events.markDispatched([1, 2].map((seq) => ({ app: "app", conversation: "group-1", seq })));
    await store.events.flushDispatchMarks();
    expect(found(await changes(store, "ann", { cursor }))).toEqual([["group-1", [1, 2]]]);
  });

  it("are found behind every cursor when another process has compared heads with logs", async () => {
    const { cursor } = await changes(store, "ann");
    await commitAndDie("group-1");
    // As if it had dispatched them before it died.
    await withCollections(mongo, ({ events }) => events.updateMany({}, { $unset: { by: "" } }));
    await ageStamps();
    await ageSweep();

    const before = await changes(store, "ann", { cursor });
    await store.close();
    store = await open();
    const after = await changes(store, "ann", { cursor });

    expect(found(before)).toEqual([]);
    expect(await headOf("group-1")).toBe(2);
    expect(found(after)).toEqual([["group-1", [1, 2]]]);
  });

  it("are found by their marks while no document speaks of them, and by the document when others dispatched them", async () => {
    await store.events.commit([groupRun("group-1", 0, { members: membersOf("ann", "bob") })]);
    const { cursor } = await changes(store, "ann");
    await store.events.commit([groupRun("group-1", 1)]);
    await store.close();
    await withCollections(mongo, ({ conversations }) => conversations.updateMany({}, { $set: { head: 1 } }));
    await ageStamps();
    store = await open();

    const marked = await changes(store, "ann", { cursor });
    const lists = await store.conversations.list({ app: "app", user: "ann", archived: null, limit: 1 });
    store.events.markDispatched(await undispatched());
    const headBefore = await headOf("group-1");
    await store.events.flushDispatchMarks();
    const dispatched = await changes(store, "ann", { cursor });

    expect(headBefore).toBe(1);
    expect(await headOf("group-1")).toBe(2);
    expect(await undispatched()).toEqual([]);
    expect([found(marked), found(dispatched)]).toEqual([[["group-1", [2]]], [["group-1", [2]]]]);
    expect(lists).toMatchObject([{ head: 2, last: { seq: 2 } }]);
  });
});

describe("changes of a user with few conversations among many", () => {
  it("are found from the user's side, and lists stay in order", async () => {
    const names = Array.from({ length: 1_200 }, (_, index) => `group-${String(index).padStart(4, "0")}`);
    const mine = names.filter((_, index) => index % 100 === 7);
    const isMine = new Set(mine);
    const runs = (expectedHead: number) =>
      names.map((name) => {
        const members = membersOf(...(isMine.has(name) ? ["ann", "bob"] : ["bob"]));
        return groupRun(name, expectedHead, expectedHead === 0 ? { members } : {});
      });
    await store.events.commit(runs(0));
    const { cursor } = await changes(store, "ann");
    await store.events.commit(runs(1));

    const since = found(await changes(store, "ann", { cursor }));
    const lists = await store.conversations.list({ app: "app", user: "ann", archived: false, limit: 5 });

    expect(since.toSorted()).toEqual(mine.map((name) => [name, [2]]));
    expect(lists.map(({ conversation }) => conversation)).toEqual(mine.slice(0, 5));
  });

  it("come once each in pages of any size, also when a cursor cannot speak of all of them", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `group-${index}`);
    await store.events.commit(
      names.map((name) => groupRun(name, 0, { count: 3, members: membersOf("ann", "bob") })),
    );
    const reached = new Map<string, number[][]>();
    let cursor: string | undefined;
    let pages = 0;
    for (let more = true; more && pages < 30; pages += 1) {
      const page = await changes(store, "ann", { limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      for (const { view, events } of page.conversations) {
        reached.set(view.conversation, [
          ...(reached.get(view.conversation) ?? []),
          events.map(({ seq }) => seq),
        ]);
      }
      ({ cursor, more } = page);
      if (pages === 0) await ageStamps();
    }

    expect(pages).toBeLessThan(30);
    expect([...reached.keys()].toSorted()).toEqual(names.toSorted());
  });
});

describe("a walk of several pages through fresh changes", () => {
  const names = Array.from({ length: 60 }, (_, index) => `group-${index}`);
  const members = membersOf("ann", "bob");

  /** Pages of seven, by these stores in turns, until there are no more. Something is written behind the third. */
  async function walk(stores: readonly Store[], meanwhile: () => Promise<unknown> = async () => {}) {
    const reached = new Map<string, number[]>();
    let cursor: string | undefined;
    for (let pages = 1; ; pages += 1) {
      const from = cursor === undefined ? {} : { cursor };
      const page = await changes(stores[pages % stores.length] as Store, "ann", { limit: 7, ...from });
      for (const { view, events } of page.conversations)
        reached.set(view.conversation, [
          ...(reached.get(view.conversation) ?? []),
          ...events.map(({ seq }) => seq),
        ]);
      if (pages === 3) await meanwhile();
      if (!page.more || pages === 100) return { pages, reached };
      ({ cursor } = page);
    }
  }

  it("tells each of them once", async () => {
    await store.events.commit(names.map((name) => groupRun(name, 0, { members })));

    const { pages, reached } = await walk([store]);

    expect(pages).toBe(9);
    expect([...reached.keys()].toSorted()).toEqual(names.toSorted());
    expect([...reached.values()].every((seqs) => seqs.length === 1)).toBe(true);
  });

  it("also tells what changes meanwhile, and nothing else again", async () => {
    await store.events.commit(names.map((name) => groupRun(name, 0, { members })));

    const { reached } = await walk([store], () =>
      store.events.commit(names.map((name) => groupRun(name, 1))),
    );

    expect([...reached.keys()].toSorted()).toEqual(names.toSorted());
    expect([...reached.values()].map((seqs) => seqs.at(-1))).toEqual(names.map(() => 2));
  });

  it("ends after another walk at most, when several processes answer its pages", async () => {
    await store.events.commit(names.map((name) => groupRun(name, 0, { members })));
    const other = await open();

    const { pages, reached } = await walk([store, other]);
    await other.close();

    expect(pages).toBeLessThanOrEqual(18);
    expect([...reached.keys()].toSorted()).toEqual(names.toSorted());
  });
});

describe("changes at a cursor", () => {
  it("come again for a while when there are more than it can speak of, and not a minute later", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `group-${index}`);
    const runs = names.map((name) => groupRun(name, 0, { members: membersOf("ann", "bob") }));
    await store.events.commit(runs);
    store.events.markDispatched(runs.flatMap(({ events }) => events));
    await store.events.flushDispatchMarks();
    const { cursor } = await changes(store, "ann");

    const soon = await changes(store, "ann", { cursor });
    await ageStamps();
    const later = await changes(store, "ann", { cursor });

    expect(cursor.length).toBeLessThanOrEqual(200);
    expect(soon.conversations.length).toBeGreaterThan(0);
    expect(soon.conversations.length).toBeLessThan(30);
    expect(later.conversations).toEqual([]);
  });

  it("are refused when it lies in the future, was cut, or has grown", async () => {
    await store.events.commit([groupRun("group-1", 0, { members: membersOf("ann") })]);
    const { cursor } = await changes(store, "ann");
    const bytes = Buffer.from(cursor, "base64url");
    const ahead = Buffer.from(bytes);
    ahead.writeUInt32BE(bytes.readUInt32BE(1) + minute, 1);
    const forged = [ahead, bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), bytes.subarray(1)];

    for (const one of forged) {
      const asked = changes(store, "ann", { cursor: one.toString("base64url") });
      await expect(asked).rejects.toMatchObject({ code: "invalid_cursor" });
    }
  });
});

describe("the first page of a long list", () => {
  it("leaves nothing open on the server", async () => {
    const runs = Array.from({ length: 600 }, (_, index) =>
      groupRun(`group-${index}`, 0, {
        members: membersOf("ann"),
        each: { timestamp: 1_700_000_000_000 + index },
      }),
    );
    await store.events.commit(runs);
    store.events.markDispatched(runs.flatMap(({ events }) => events));
    await store.events.flushDispatchMarks();
    // Settled conversations are sorted by the server: their heads were compared with their logs.
    await ageStamps();
    await store.close();
    store = await open();

    const page = await store.conversations.list({ app: "app", user: "ann", archived: false, limit: 20 });

    expect(page).toHaveLength(20);
    const left = await withCollections(mongo, (_, client) =>
      client
        .db("admin")
        .aggregate([
          { $currentOp: { idleCursors: true, allUsers: true } },
          { $match: { type: "idleCursor", ns: new RegExp(`^${mongo.database}\\.`) } },
        ])
        .toArray(),
    );
    expect(left).toEqual([]);
  });
});
