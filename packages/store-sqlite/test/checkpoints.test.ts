import { statSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { directRun } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();
const mebibyte = 1024 * 1024;

it("keeps the write-ahead log small however much is written, and carries it over while it writes", async () => {
  const store = await folder.open();
  const path = await folder.path();
  const body = `{"text":"${"x".repeat(3_000)}"}`;

  for (let head = 0; head < 40_000; head += 500)
    await store.events.commit([directRun("bob", head, 500, body)]);

  await vi.waitFor(() => expect(statSync(path).size).toBeGreaterThan(100 * mebibyte), { timeout: 20_000 });
  expect(statSync(`${path}-wal`).size).toBeLessThan(80 * mebibyte);
}, 30_000);
