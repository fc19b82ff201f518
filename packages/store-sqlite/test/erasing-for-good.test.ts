import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { directRun, eraseMessages } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

async function isOnDisk(text: string): Promise<boolean> {
  const path = await folder.path();
  const files = await Promise.all(
    [path, `${path}-wal`].map((file) => readFile(file).catch(() => Buffer.alloc(0))),
  );
  return files.some((bytes) => bytes.includes(text));
}

it.each([
  ["short", 40],
  ["longer than a page", 50_000],
])("leaves nothing of %s bodies in the files", async (_, length) => {
  const store = await folder.open();
  const body = (secret: string) => `{"text":"${secret.repeat(Math.ceil(length / secret.length))}"}`;
  for (let head = 0; head < 60; head += 20) {
    await store.events.commit([
      directRun("bob", head, 20, body("bob's secret ")),
      directRun("cid", head, 20, body("cid's secret ")),
    ]);
  }
  const before = [await isOnDisk("bob's secret"), await isOnDisk("cid's secret")];

  await eraseMessages(
    store,
    "bob",
    60,
    Array.from({ length: 60 }, (_, index) => index + 1),
  );
  await store.events.scrub();

  expect(before).toEqual([true, true]);
  expect(await isOnDisk("bob's secret")).toBe(false);
  expect(await isOnDisk("cid's secret")).toBe(true);
});

it("leaves nothing of a profile", async () => {
  const store = await folder.open();
  await store.users.put({
    app: "app",
    id: "ann",
    profile: '{"fullname":"Ann Secret"}',
    createdAt: 1,
    updatedAt: 1,
  });

  await store.users.erase("app", "ann");

  expect(await isOnDisk("Ann Secret")).toBe(false);
});
