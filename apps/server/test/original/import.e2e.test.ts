import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  importOriginalDatabase,
  OriginalDatabase,
  type OriginalImportSummary,
  type RefusedDocument,
  type RefusedItem,
} from "@chat21/original/database";
import { limits } from "@chat21/protocol";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import { openSqliteStore } from "@chat21/store-sqlite";
import { createMemoryStore, type WholeStore } from "@chat21/testkit";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OriginalChat21, uriOf } from "./original-chat21.ts";
import { serveStore } from "./rest-of-store.ts";
import { expectSameAnswers } from "./same-answers.ts";
import { doSomething, everythingOnce } from "./scenarios.ts";

let mongo: RequiredMongo;
let folder: string;
let original: OriginalChat21;

beforeAll(async () => {
  mongo = await requireMongo();
  folder = mkdtempSync(join(tmpdir(), "chat21-import-test-"));
});
beforeEach(async () => {
  original = await OriginalChat21.open(mongo.uri, mongo.database);
});
afterEach(async () => {
  await original.drop();
  await original.close();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await mongo.stop();
});

interface Imported {
  readonly summary: OriginalImportSummary;
  readonly refused: (RefusedItem | RefusedDocument)[];
}

async function importInto(store: WholeStore, apps: ReadonlySet<string> | null = null): Promise<Imported> {
  const database = await OriginalDatabase.connect(uriOf(mongo.uri, mongo.database));
  const refused: Imported["refused"] = [];
  try {
    const summary = await importOriginalDatabase({
      database,
      target: { name: "the test's", store },
      workDir: folder,
      apps,
      isDryRun: false,
      signal: new AbortController().signal,
      onRefused: (item) => refused.push(item),
      onProgress: () => {},
    });
    return { summary, refused };
  } finally {
    await database.close();
  }
}

const openSqlite = () => openSqliteStore({ path: join(mkdtempSync(join(folder, "data-")), "chat21.db") });

/** In the very database of the original. */
async function openMongo(): Promise<WholeStore> {
  const options = { uri: mongo.uri, database: mongo.database };
  await migrateMongoStore(options);
  return connectMongoStore(options);
}

describe.each([
  ["SQLite", openSqlite],
  ["MongoDB, the original's own database", openMongo],
])("an import into %s", (_, open) => {
  it("answers REST as the original did, tells nobody, and leaves the original as it was", async () => {
    await everythingOnce(original);
    const before = await original.content();
    const store = await open();

    const { summary } = await importInto(store);

    const rest = await serveStore(store);
    const compared = await expectSameAnswers(original, rest);
    const waiting = await store.events.undispatched(10, Date.now() + 60_000);
    const instances = await store.instances.list("tilechat", "anna");
    await rest.close();
    expect(compared.messages).toBeGreaterThan(40);
    expect(compared.entries).toBeGreaterThan(12);
    expect([waiting, rest.facts]).toEqual([[], []]);
    expect(instances).toMatchObject([{ instanceId: "push-token-of-anna" }]);
    expect(await original.content()).toBe(before);
    expect(summary).toMatchObject({ complete: true, read: { stubs: 4, entryStubs: 4 } });
  });

  it("does nothing again the second time", async () => {
    await everythingOnce(original);
    const store = await open();
    const first = await importInto(store);

    const { summary } = await importInto(store);

    await store.close();
    const { imported } = first.summary.conversations;
    expect(imported).toBeGreaterThan(8);
    expect(summary.conversations).toMatchObject({ imported: 0, resumed: 0, skipped: 0, numbered: imported });
    expect(summary.messages).toMatchObject({ imported: 0, numbered: first.summary.messages.imported });
    expect(summary.instances).toEqual({ imported: 0, known: 1 });
  });
});

const people = fc.constantFrom("anna", "bert", "carl", "dora");

describe("an import of whatever people did", () => {
  it("answers REST as the original did", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 9 }), people, people, fc.nat({ max: 50 })), {
          minLength: 10,
          maxLength: 50,
        }),
        async (steps) => {
          await original.drop();
          await original.close();
          original = await OriginalChat21.open(mongo.uri, mongo.database);
          const sent: Parameters<typeof doSomething>[2] = [];
          await original.send("anna", "bert");
          for (const step of steps) await doSomething(original, step, sent);
          const store = createMemoryStore();

          await importInto(store);

          const rest = await serveStore(store);
          try {
            await expectSameAnswers(original, rest);
          } finally {
            await rest.close();
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe("what an original's database may hold", () => {
  it("moves equal times by a millisecond each, and gives impossible ones the time of their document", async () => {
    const timestamp = 1_700_000_000_000;
    for (let n = 0; n < 3; n += 1) await original.send("anna", "bert", { timestamp, text: `${n}` });
    await original.send("anna", "carl", { timestamp: 9_999_999_999_999 });
    const store = createMemoryStore();

    const { summary } = await importInto(store);

    const read = { app: "tilechat", limit: 10, from: "oldest" } as const;
    const times = (await store.events.read({ ...read, conversation: "anna.bert" })).map(
      (event) => event.timestamp,
    );
    const [repaired] = await store.events.read({ ...read, conversation: "anna.carl" });
    expect(times).toEqual([timestamp, timestamp + 1, timestamp + 2]);
    expect(Math.abs((repaired?.timestamp ?? 0) - Date.now())).toBeLessThan(600_000);
    expect(summary.messages.moved).toBe(3);
    expect(summary.read.times).toEqual({ seconds: 0, replaced: 2 });
  });

  it("understands seconds and dates in every field that is a time, and counts what it repaired", async () => {
    const at = 1_700_000_000_000;
    await original.send("anna", "bert", { timestamp: at / 1_000 });
    await original.send("anna", "bert", { timestamp: String(at / 1_000 + 1) });
    await original.send("anna", "bert", { timestamp: new Date(at + 2_000).toISOString() });
    await original.send("anna", "bert", { timestamp: at + 3_000 });
    const group = { uid: "group-old", appId: "tilechat", name: "Old", owner: "anna", members: { anna: 1 } };
    await original
      .collection("groups")
      .insertOne({ ...group, createdOn: at / 1_000, updatedOn: new Date(at + 5_000) });
    const store = createMemoryStore();

    const { summary } = await importInto(store);

    const read = { app: "tilechat", conversation: "anna.bert", limit: 10, from: "oldest" } as const;
    const [record] = await store.conversations.load([{ app: "tilechat", conversation: "group-old" }]);
    expect((await store.events.read(read)).map(({ timestamp }) => timestamp - at)).toEqual([
      ...[0, 1_000, 2_000, 3_000],
    ]);
    expect(record?.group).toMatchObject({ createdOn: at, updatedOn: at + 5_000 });
    // Two copies of each of two messages, and the group's creation.
    expect(summary.read.times).toEqual({ seconds: 5, replaced: 0 });
  });

  it("merges copies that a race has stored twice, and needs none of the original's indexes", async () => {
    await original.send("anna", "bert");
    const [copy] = await original.collection("messages").find({ timelineOf: "anna" }).toArray();
    const { _id, ...twin } = copy ?? {};
    await original.collection("messages").insertOne(twin);
    await original.collection("messages").dropIndexes();
    const store = createMemoryStore();

    const { summary } = await importInto(store);

    expect(summary.read.copies).toBe(3);
    expect(summary.messages.imported).toBe(1);
  });

  it("counts a receipt that names its message by the temporary id", async () => {
    await original.send("anna", "bert", { attributes: { tempUID: "T-1" } });
    await original.send("anna", "bert");
    await original.receipt("bert", "anna", "T-1");
    const store = createMemoryStore();

    await importInto(store);

    const view = await store.conversations.view("tilechat", "anna.bert", "bert");
    expect(view?.state.delivered).toBe(1);
  });

  it("refuses what the protocol does not know, with the document", async () => {
    await original.send("anna", "bert.with.dots");
    await original.send("anna", "x".repeat(limits.userIdBytes + 1));
    await original.send("anna", "bert", { text: "y".repeat(110_000) });
    await original.send("anna", "bert", { group: 7 });
    await original.createGroup({
      id: "group-odd",
      name: "Odd",
      owner: "an^2Ena",
      members: ["anna", "be^2Brt"],
    });
    await original
      .collection("messages")
      .insertOne({ timelineOf: "a", sender: "a", recipient: "b", message_id: "m" });
    const store = createMemoryStore();

    const { summary, refused } = await importInto(store);

    expect(summary.refused).toMatchObject({
      invalid_id: expect.any(Number),
      message_too_large: 1,
      malformed: 1,
      app_missing: 1,
      group_member_invalid: 1,
      group_owner_invalid: 1,
    });
    const total = Object.values(summary.refused).reduce((sum, count) => sum + count, 0);
    expect(refused).toHaveLength(total);
    expect(refused.find(({ reason }) => reason === "malformed")).toMatchObject({ document: { group: 7 } });
  });

  it("keeps apps apart, and takes over only those that are asked for", async () => {
    await original.send("anna", "bert");
    const other = await OriginalChat21.open(mongo.uri, mongo.database, "other");
    await other.send("anna", "bert");
    await other.close();
    const [all, one] = [createMemoryStore(), createMemoryStore()];

    const both = await importInto(all);
    const only = await importInto(one, new Set(["other"]));

    expect(both.summary.conversations.imported).toBe(2);
    expect(only.summary.conversations.imported).toBe(1);
    expect(only.summary.read.otherApps).toBe(2);
    expect(await one.conversations.heads("tilechat", "anna", 10)).toEqual([]);
  });

  it("numbers a long conversation over several batches, and a large group's copies", async () => {
    const at = 1_700_000_000_000;
    const members = Array.from({ length: 40 }, (_, index) => `member${index}`);
    const documents = Array.from({ length: 2_300 }, (_, index) => {
      const message = { message_id: `m${index}`, sender: "anna", recipient: "bert", app_id: "tilechat" };
      return {
        ...message,
        timelineOf: "anna",
        conversWith: "bert",
        timestamp: at - index,
        status: 100,
        text: "",
      };
    });
    const copies = Array.from({ length: 60 }, (_, index) => index).flatMap((index) =>
      members.map((timelineOf) => ({
        ...{ message_id: `g${index}`, sender: "member0", recipient: "group-big", app_id: "tilechat" },
        ...{ timelineOf, conversWith: "group-big", timestamp: at + index, status: 150, text: "" },
      })),
    );
    await original.collection("messages").insertMany([...documents, ...copies]);
    const store = await openSqlite();

    const { summary } = await importInto(store);

    const [pair, big] = await store.conversations.load([
      { app: "tilechat", conversation: "anna.bert" },
      { app: "tilechat", conversation: "group-big" },
    ]);
    const [first] = await store.events.read({
      app: "tilechat",
      conversation: "anna.bert",
      limit: 1,
      from: "oldest",
    });
    await store.close();
    expect([pair?.head, first?.messageId]).toEqual([2_300, "m2299"]);
    expect(big).toMatchObject({ head: 60, transient: true });
    expect(big?.members).toHaveLength(40);
    expect(summary.messages.imported).toBe(2_360);
  });
});
