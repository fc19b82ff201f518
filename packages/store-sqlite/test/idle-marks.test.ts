import { afterEach, expect, it, vi } from "vitest";
import { checkSqlite } from "../src/index.ts";
import { directRun } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

afterEach(() => {
  vi.useRealTimers();
});

it("keeps dispatch marks in memory until the next commit, which stores them", async () => {
  const store = await folder.open();
  const path = await folder.path();
  await store.events.commit([directRun("bob", 0, 4)]);
  store.events.markDispatched([1, 2].map((seq) => ({ app: "app", conversation: "ann.bob", seq })));
  const before = checkSqlite(path).undispatched;

  await store.events.commit([directRun("cid", 0)]);

  expect(before).toBe(4);
  expect(checkSqlite(path).undispatched).toBe(3);
});

it("stores dispatch marks at once when somebody waits for them", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0, 4)]);
  store.events.markDispatched([1, 2].map((seq) => ({ app: "app", conversation: "ann.bob", seq })));

  await store.events.flushDispatchMarks();

  expect(checkSqlite(await folder.path()).undispatched).toBe(2);
});

it("stores dispatch marks by themselves when no commit comes for two seconds", async () => {
  const store = await folder.open();
  const path = await folder.path();
  await store.events.commit([directRun("bob", 0, 4)]);
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  store.events.markDispatched([{ app: "app", conversation: "ann.bob", seq: 1 }]);

  vi.advanceTimersByTime(1_999);
  const early = vi.getTimerCount();
  vi.advanceTimersByTime(1);
  vi.useRealTimers();

  expect(early).toBe(1);
  await vi.waitFor(() => expect(checkSqlite(path).undispatched).toBe(3), { timeout: 20_000 });
});
