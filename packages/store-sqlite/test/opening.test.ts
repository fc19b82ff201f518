import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { backupSqlite, checkSqlite, openSqliteStore, restoreSqlite } from "../src/index.ts";
import { applicationId, migrations } from "../src/worker/migrations.ts";
import { directRun } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

it("makes the folder and the database", async () => {
  const path = await folder.path("new/deeper/chat21.db");

  await folder.open({ path });

  expect((await readFile(path)).subarray(0, 15).toString()).toBe("SQLite format 3");
});

it("says that the database is in use when it is, and opens when it is free again", async () => {
  const first = await folder.open();

  await expect(folder.open()).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/chat21\.db is in use by another process: stop that one/),
  });

  await first.close();
  const second = await folder.open();
  expect(second.epoch).toBe(first.epoch);
});

it("says which folder cannot be written", async () => {
  const file = await folder.path("not-a-folder");
  await writeFile(file, "");

  await expect(openSqliteStore({ path: `${file}/chat21.db` })).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/not-a-folder cannot be written: .*use another data folder/),
  });
});

it("says that the file cannot be written, and does not keep it locked", async () => {
  const path = await folder.path();
  await mkdir(path);

  await expect(folder.open()).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/the database .*chat21\.db cannot be written/),
  });

  await rmdir(path);
  await expect(folder.open()).resolves.toHaveProperty("epoch");
});

it("says that a file is no database and what to do, and leaves it as it is and unlocked", async () => {
  const path = await folder.path();
  await writeFile(
    path,
    "this is text, and long enough to be taken for a header of a database, page one".repeat(99),
  );
  const before = await readFile(path);

  await expect(folder.open()).rejects.toMatchObject({
    code: "internal",
    message: expect.stringMatching(/chat21\.db is damaged \(.+\): restore a backup/),
  });

  expect(await readFile(path)).toEqual(before);
  await writeFile(path, "");
  await expect(folder.open()).resolves.toHaveProperty("epoch");
});

it("says that the middle of a database is damaged when it meets the place", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0, 500, `{"text":"${"x".repeat(2_000)}"}`)]);
  await store.close();
  const path = await folder.path();
  const bytes = await readFile(path);
  bytes.fill(0xa5, 20 * 4_096, 200 * 4_096);
  await writeFile(path, bytes);

  const reading = folder
    .open()
    .then(({ events }) => events.read({ app: "app", conversation: "ann.bob", limit: 500, from: "oldest" }));

  await expect(reading).rejects.toMatchObject({
    code: "internal",
    message: expect.stringMatching(/is damaged .*restore a backup/),
  });
});

it("refuses a newer schema, and names both versions", async () => {
  await (await folder.open()).close();
  const database = new DatabaseSync(await folder.path());
  database.exec("PRAGMA user_version = 99");
  database.close();

  await expect(folder.open()).rejects.toMatchObject({
    code: "internal",
    message: expect.stringMatching(
      /has schema version 99 and this version of Chat21 knows up to 6: use the version/,
    ),
  });
});

/** A database as an older version left it. */
async function makeOlder(version: number, content: string): Promise<void> {
  const database = new DatabaseSync(await folder.path());
  for (const migration of migrations.slice(0, version)) database.exec(migration);
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version};
    INSERT INTO meta (name, value) VALUES ('epoch', 'old-epoch'); ${content}`);
  database.close();
}

it("brings a database of the first schema up to date, with what it holds", async () => {
  await makeOlder(
    1,
    `INSERT INTO account (id, app, name) VALUES (1, 'app', 'ann');
     INSERT INTO presence_lease (account, client_id, expires_at) VALUES (1, 'phone', 9000);`,
  );

  const store = await folder.open();

  expect(store.epoch).toBe("old-epoch");
  expect(await store.presence.ofClient("phone")).toEqual([
    { app: "app", user: "ann", clientId: "phone", expiresAt: 9_000 },
  ]);
  expect(checkSqlite(await folder.path())).toMatchObject({ schema: { version: 6 }, problems: [] });
});

it("makes messages with an overlay of what was erased in place before", async () => {
  const content = (seq: number, body: string) =>
    `(${seq + 10}, 1, ${seq}, 1, 'm-${seq}', 'k-${seq}', NULL, ${seq}, '${body}')`;
  await makeOlder(
    2,
    `INSERT INTO account (id, app, name) VALUES (1, 'app', 'ann'), (2, 'app', 'bob');
     INSERT INTO conversation (id, app, name, kind, transient, unlisted_to) VALUES (1, 'app', 'ann.bob', 'direct', 0, 1);
     INSERT INTO member (account, conversation, ordinal, role, intervals)
       VALUES (1, 1, 1, 'member', '[[1,null]]'), (2, 1, 2, 'member', '[[1,null]]');
     INSERT INTO event VALUES (1, 1, 11, 1001, 1, 5, 0, NULL, 7, NULL), (1, 2, 12, 1002, 1, 0, 1, NULL, 8, NULL);
     INSERT INTO event_content VALUES ${content(1, "{}")}, ${content(2, '{"text":"hi"}')};
     INSERT INTO meta (name, value) VALUES ('dispatched', '[11]');`,
  );

  const store = await folder.open();

  const read = (options: object) =>
    store.events.read({ app: "app", conversation: "ann.bob", limit: 9, from: "oldest", ...options });
  expect(await read({})).toMatchObject([
    { seq: 1, type: "message", body: "{}", overlay: '{"version":0,"deleted":{"by":"system","at":0}}' },
    { seq: 2, type: "message", body: '{"text":"hi"}', overlay: null },
  ]);
  expect(await read({ withoutErased: true })).toMatchObject([{ seq: 2 }]);
  const { conversations, cursor } = await store.conversations.changes({
    ...{ app: "app", user: "bob", limit: 9, eventsEach: 9, characters: 999 },
  });
  expect(conversations).toMatchObject([{ view: { unread: 1 }, events: [{ seq: 1 }, { seq: 2 }] }]);
  await store.conversations.patch([{ app: "app", conversation: "ann.bob", user: "bob", read: 2 }]);
  const later = await store.conversations.changes({
    ...{ app: "app", user: "bob", limit: 9, eventsEach: 9, characters: 999, cursor },
  });
  expect(later.conversations).toMatchObject([{ view: { unread: 0 }, events: [] }]);
  expect(await store.events.undispatched(9, 9_999)).toMatchObject([{ seq: 2 }]);
});

it("refuses a database of somebody else", async () => {
  const path = await folder.path();
  await mkdir(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE recipe (name TEXT)");
  database.close();

  await expect(folder.open()).rejects.toMatchObject({
    message: expect.stringMatching(/chat21\.db is not a database of Chat21/),
  });
});

it.each([
  [
    "a trigger with its table",
    `CREATE TABLE taken (body TEXT);
     CREATE TRIGGER copy_out AFTER INSERT ON event_content BEGIN INSERT INTO taken VALUES (new.body); END;`,
    // The table comes first in the file.
    "table taken",
  ],
  ["trigger", "CREATE TRIGGER copy_out AFTER DELETE ON meta BEGIN SELECT 1; END", "trigger copy_out"],
  ["view", "CREATE VIEW seen AS SELECT * FROM account", "view seen"],
  ["index on an expression", "CREATE INDEX slow ON account (upper(name))", "index slow"],
  ["column", "ALTER TABLE meta ADD COLUMN more TEXT", "table meta"],
  ["missing table", "DROP TABLE presence_lease", "table presence_lease"],
])("refuses a database in which somebody has changed the schema: %s", async (_what, change, part) => {
  await (await folder.open()).close();
  const path = await folder.path();
  const backup = await folder.path("backup.db");
  await backupSqlite(path, backup);
  for (const file of [path, backup]) {
    const database = new DatabaseSync(file);
    database.exec(change);
    database.close();
  }

  const refusal = { code: "internal", message: expect.stringContaining(`look at its ${part}, or restore`) };
  await expect(folder.open()).rejects.toMatchObject(refusal);
  await expect(restoreSqlite(backup, path, { force: true })).rejects.toMatchObject(refusal);
  expect(() => checkSqlite(path)).toThrow(expect.objectContaining(refusal));
});

it("ends the leases of webhooks, because whoever held them is gone", async () => {
  const first = await folder.open();
  const row = {
    id: "w-1",
    endpoint: "https://hooks.example/",
    app: "tilechat",
    orderKey: "k",
    event: "e",
    body: "{}",
  };
  await first.webhooks.enqueue([{ ...row, createdAt: 1 }]);
  const lease = { endpoint: row.endpoint, now: 2, leaseUntil: 60_000, limit: 1 };
  expect(await first.webhooks.lease(lease)).toHaveLength(1);
  expect(await first.webhooks.lease(lease)).toHaveLength(0);
  await first.close();

  const second = await folder.open();

  expect(await second.webhooks.lease(lease)).toMatchObject([{ id: "w-1" }]);
});
