import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { checkSqlite, openSqliteStore } from "../src/index.ts";
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
      /has schema version 99 and this version of Chat21 knows up to 2: use the version/,
    ),
  });
});

it("brings a database of the first schema up to date, with what it holds", async () => {
  const first = await folder.open();
  const lease = { app: "app", user: "ann", clientId: "phone", expiresAt: 9_000 };
  await first.presence.renew([lease], 1);
  await first.close();
  const database = new DatabaseSync(await folder.path());
  database.exec("DROP INDEX presence_lease_client; PRAGMA user_version = 1");
  database.close();

  const second = await folder.open();

  expect(second.epoch).toBe(first.epoch);
  expect(await second.presence.ofClient("phone")).toEqual([lease]);
  expect(checkSqlite(await folder.path())).toMatchObject({ schema: { version: 2 }, problems: [] });
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
