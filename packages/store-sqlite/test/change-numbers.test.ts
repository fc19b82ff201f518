import { BroadcastChannel } from "node:worker_threads";
import type { Changes, Log, Run, Store } from "@chat21/engine";
import { expect, it, vi } from "vitest";
import { checkSqlite } from "../src/index.ts";
import { directRun } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

const changes = ({ conversations }: Store, cursor?: string): Promise<Changes> =>
  conversations.changes({
    ...{ app: "app", user: "bob", limit: 9, eventsEach: 9, characters: 9_999 },
    ...(cursor === undefined ? {} : { cursor }),
  });
const read = ({ conversations }: Store, seq: number) =>
  conversations.patch([{ app: "app", conversation: "ann.bob", user: "bob", read: seq }]);
const list = async ({ conversations }: Store) =>
  (await conversations.list({ app: "app", user: "bob", archived: null, limit: 9 })).map(
    ({ last }) => last?.seq,
  );

it("go on behind the last patch after a restart, however many events wait to be dispatched", async () => {
  const first = await folder.open();
  await first.events.commit([directRun("bob", 0, 100)]);
  // Written in this order, in few transactions.
  const writes = Array.from({ length: 80 }, (_, index) => [
    read(first, index + 1),
    first.events.commit([directRun("cid", index)]),
  ]);
  await Promise.all(writes.flat());
  await read(first, 100);
  const { cursor } = await changes(first);
  await first.close();

  const second = await folder.open();
  await second.events.commit([directRun("bob", 100)]);

  expect((await changes(second, cursor)).conversations).toMatchObject([{ events: [{ seq: 101 }] }]);
  expect(checkSqlite(await folder.path())).toMatchObject({ events: 181, undispatched: 181, problems: [] });
});

it("let the dispatch cursor pass patches", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0, 2)]);
  await read(store, 1);
  await store.events.commit([directRun("bob", 2)]);
  await read(store, 2);

  store.events.markDispatched([1, 2, 3].map((seq) => ({ app: "app", conversation: "ann.bob", seq })));
  await store.events.flushDispatchMarks();

  expect(await store.events.undispatched(9, 9_999)).toEqual([]);
  expect(checkSqlite(await folder.path()).undispatched).toBe(0);
});

it("are not given twice when what took them is rolled back: nothing is taken for dispatched, nothing is missed", async () => {
  const store = await folder.open();
  await store.events.commit([directRun("bob", 0, 2)]);
  const { cursor } = await changes(store);
  const bad = directRun("bob", 2, 2);
  const broken = { ...bad, events: bad.events.map((one, at) => (at === 1 ? { ...one, body: null } : one)) };

  // All of them share a transaction, which is rolled back and done again without the bad one.
  const results = await Promise.allSettled([
    read(store, 1),
    store.events.commit([broken as unknown as Run]),
    read(store, 2),
    store.events.commit([directRun("cid", 0)]),
  ]);
  const listed = await list(store);
  const patched = await changes(store, cursor);
  await store.events.commit([directRun("bob", 2)]);

  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  expect(listed).toEqual([2]);
  expect(patched.conversations).toMatchObject([{ events: [], view: { head: 2, state: { read: 2 } } }]);
  expect((await changes(store, patched.cursor)).conversations).toMatchObject([{ events: [{ seq: 3 }] }]);
  expect(await list(store)).toEqual([3]);
  const waiting = await store.events.undispatched(9, 9_999);
  expect(waiting.map(({ conversation, seq }) => `${conversation} ${seq}`)).toEqual([
    ...["ann.bob 1", "ann.bob 2", "ann.cid 1", "ann.bob 3"],
  ]);
});

it.each(["writer", "reader"] as const)(
  "survive the death of the %s thread, as lists and cursors do",
  async (role) => {
    const path = await folder.path();
    const log: Log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const store = await folder.open({ log, workerUrl: new URL("./mortal-worker.ts", import.meta.url) });
    await store.events.commit([directRun("bob", 0, 3)]);
    const [before, listedBefore] = [await changes(store), await list(store)];
    const channel = new BroadcastChannel(`kill ${path}`);
    let written = 3;

    channel.postMessage(role);
    // Something is under way when the thread dies.
    await vi.waitFor(
      async () => {
        const results = await Promise.allSettled([
          store.events.commit([directRun("bob", written)]),
          list(store),
        ]);
        if (results[0].status === "fulfilled") written += 1;
        expect(log.error).toHaveBeenCalledOnce();
      },
      { timeout: 20_000, interval: 0 },
    );
    channel.close();
    const [outcome] = await store.events.commit([directRun("bob", written)]);
    await read(store, 2);
    const head = written + 1;

    expect(outcome).toMatchObject({ status: "committed" });
    expect(listedBefore).toEqual([3]);
    expect(await list(store)).toEqual([head]);
    const after = await changes(store, before.cursor);
    expect(after.conversations).toMatchObject([{ view: { head, state: { read: 2 } } }]);
    expect((await changes(store, after.cursor)).conversations).toEqual([]);
  },
  30_000,
);
