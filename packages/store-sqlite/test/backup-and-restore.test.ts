import { readdir, readFile, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { backupSqlite, type CopyProgress, checkSqlite, restoreSqlite } from "../src/index.ts";
import { directRun } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

it("backs up while messages are written: a consistent copy as of the moment of the call", async () => {
  const store = await folder.open();
  const [path, target] = [await folder.path(), await folder.path("backup.db")];
  const body = `{"text":"${"x".repeat(4_000)}"}`;
  let head = 0;
  for (; head < 6_000; head += 500) await store.events.commit([directRun("bob", head, 500, body)]);
  const before = head;
  const progress: CopyProgress[] = [];
  let finished = false;

  const backup = backupSqlite(path, target, (step) => progress.push(step)).finally(() => {
    finished = true;
  });
  for (; !finished; head += 1) await store.events.commit([directRun("bob", head)]);
  const { bytes } = await backup;

  expect(head).toBeGreaterThan(before);
  expect(progress.length).toBeGreaterThan(0);
  expect(progress.every(({ copiedPages, totalPages }) => copiedPages <= totalPages)).toBe(true);
  const report = checkSqlite(target);
  expect(report).toMatchObject({
    problems: [],
    epoch: store.epoch,
    conversations: 1,
    bytes: { database: bytes, log: 0 },
  });
  expect(report.events).toBeGreaterThanOrEqual(before);
  expect(report.events).toBeLessThanOrEqual(head);
  expect((await readdir(await folder.path(""))).filter((name) => name.includes("partial"))).toEqual([]);
});

it("refuses to overwrite a file with a backup, and a backup of nothing", async () => {
  const store = await folder.open();
  await store.close();
  const target = await folder.path("backup.db");
  await writeFile(target, "precious");

  await expect(backupSqlite(await folder.path(), target)).rejects.toMatchObject({ code: "conflict" });
  await expect(backupSqlite(await folder.path("none.db"), target)).rejects.toMatchObject({
    code: "not_found",
  });

  expect(await readFile(target, "utf8")).toBe("precious");
});

it("restores into a new place with a new epoch, and all that was backed up", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0, 3)]);
  await backupSqlite(await folder.path(), await folder.path("backup.db"));

  const { epoch } = await restoreSqlite(
    await folder.path("backup.db"),
    await folder.path("elsewhere/chat21.db"),
  );

  const restored = await folder.open({ path: await folder.path("elsewhere/chat21.db") });
  expect(restored.epoch).toBe(epoch);
  expect(epoch).not.toBe(store.epoch);
  expect(
    await restored.events.read({ app: "app", conversation: "ann.bob", limit: 9, from: "oldest" }),
  ).toEqual(directRun("bob", 0, 3).events);
  expect(await restored.events.commit([directRun("bob", 3)])).toEqual([
    { status: "committed", committed: 1 },
  ]);
});

it("replaces a database only when told to, never one that is in use, and nothing of the old one comes back", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0)]);
  const [path, backup] = [await folder.path(), await folder.path("backup.db")];
  await backupSqlite(path, backup);
  await store.events.commit([directRun("bob", 1, 50)]);

  await expect(restoreSqlite(backup, path, { force: true })).rejects.toMatchObject({
    code: "store_unavailable",
  });
  await store.close();
  await expect(restoreSqlite(backup, path)).rejects.toMatchObject({ code: "conflict" });
  await restoreSqlite(backup, path, { force: true });

  const restored = await folder.open();
  expect(await restored.conversations.heads("app", "ann", 9)).toEqual([{ conversation: "ann.bob", head: 1 }]);
});

it("refuses what is no backup, a damaged one and a missing one, and keeps the database that is there", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0, 200, `{"text":"${"x".repeat(2_000)}"}`)]);
  const [path, damaged] = [await folder.path(), await folder.path("damaged.db")];
  await backupSqlite(path, damaged);
  await store.close();
  const bytes = await readFile(damaged);
  bytes.fill(0xa5, 30 * 4_096, 60 * 4_096);
  await writeFile(damaged, bytes);
  const text = await folder.path("text.txt");
  await writeFile(
    text,
    "not a database at all, but long enough to be read as the header of one, really. ".repeat(9),
  );
  const empty = await folder.path("empty.db");
  new DatabaseSync(empty).close();

  const force = { force: true };
  await expect(restoreSqlite(damaged, path, force)).rejects.toMatchObject({
    message: expect.stringMatching(/damaged/),
  });
  await expect(restoreSqlite(text, path, force)).rejects.toMatchObject({ code: "internal" });
  await expect(restoreSqlite(empty, path, force)).rejects.toMatchObject({ code: "bad_request" });
  await expect(restoreSqlite(`${text}-none`, path, force)).rejects.toMatchObject({ code: "not_found" });

  expect(checkSqlite(path)).toMatchObject({ problems: [], events: 200, epoch: store.epoch });
});

it("reports on a database, in use or not, without changing it", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0, 5), directRun("cid", 0, 2)]);
  store.events.markDispatched([1, 2, 3].map((seq) => ({ app: "app", conversation: "ann.bob", seq })));
  await store.webhooks.enqueue([
    { id: "w", endpoint: "e", app: "app", orderKey: "k", event: "message-sent", body: "{}", createdAt: 1 },
  ]);

  const inUse = checkSqlite(await folder.path());
  await store.close();
  const closed = checkSqlite(await folder.path());

  expect(inUse).toMatchObject({
    conversations: 2,
    events: 7,
    problems: [],
    schema: { version: 6, supported: 6 },
  });
  expect(closed).toMatchObject({
    epoch: store.epoch,
    undispatched: 4,
    webhooks: { pending: 1, delivered: 0, dead: 0 },
  });
  expect(closed.bytes.database).toBeGreaterThan(10_000);
  expect(() => checkSqlite("/nowhere/chat21.db")).toThrow("there is no database at /nowhere/chat21.db");
});

it("reports what is damaged", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0, 200, `{"text":"${"x".repeat(2_000)}"}`)]);
  await store.close();
  const path = await folder.path();
  const bytes = await readFile(path);
  bytes.fill(0xa5, 50 * 4_096, 60 * 4_096);
  await writeFile(path, bytes);

  const { problems } = checkSqlite(path);

  expect(problems.length).toBeGreaterThan(0);
});
