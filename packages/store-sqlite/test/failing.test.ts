import { once } from "node:events";
import { BroadcastChannel } from "node:worker_threads";
import type { Log, Run } from "@chat21/engine";
import { expect, it, vi } from "vitest";
import { checkSqlite } from "../src/index.ts";
import { directRun } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

it("refuses the one bad item of a group commit and keeps its neighbours", async () => {
  const store = await folder.open();
  const bad = directRun("bad", 0, 3);
  const broken = {
    ...bad,
    events: bad.events.map((event, index) => (index === 2 ? { ...event, body: null } : event)),
  };

  const results = await Promise.allSettled([
    store.events.commit([directRun("one", 0, 2)]),
    store.events.commit([broken as unknown as Run]),
    store.events.commit([directRun("two", 0)]),
    store.users.put({ app: "app", id: "ann", profile: "{}", createdAt: 1, updatedAt: 1 }),
    store.conversations.patch([{ app: "app", conversation: "ann.one", user: "ann", read: 2 }]),
  ]);

  expect(results).toMatchObject([
    { status: "fulfilled", value: [{ status: "committed", committed: 2 }] },
    { status: "rejected", reason: { name: "ChatError", code: "internal" } },
    { status: "fulfilled", value: [{ status: "committed", committed: 1 }] },
    { status: "fulfilled" },
    { status: "fulfilled", value: [{ read: 2 }] },
  ]);
  const heads = await store.conversations.heads("app", "ann", 9);
  expect(heads.map(({ conversation }) => conversation).toSorted()).toEqual(["ann.one", "ann.two"]);
  expect(await store.events.commit([bad])).toEqual([{ status: "committed", committed: 3 }]);
});

it("refuses the one item that cannot travel to the thread and keeps its neighbours", async () => {
  const store = await folder.open();
  const run = directRun("bad", 0);
  const broken = { ...run, events: run.events.map((event) => ({ ...event, body: () => "hi" })) };

  const results = await Promise.allSettled([
    store.events.commit([directRun("one", 0)]),
    store.events.commit([broken as unknown as Run]),
    store.events.commit([directRun("two", 0)]),
  ]);

  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[1]).toMatchObject({ reason: { code: "internal" } });
});

it("refuses all of a transaction when the space is used up, keeps what was acknowledged, and recovers", async () => {
  const store = await folder.open({ maxBytes: 600_000 });
  const body = `{"text":"${"x".repeat(30_000)}"}`;
  let head = 0;
  const fill = async () => {
    for (; head < 1_000; head += 1) await store.events.commit([directRun("bob", head, 1, body)]);
  };

  await expect(fill()).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/full/),
  });

  const acknowledged = head;
  expect(acknowledged).toBeGreaterThan(5);
  await expect(store.events.commit([directRun("bob", head, 1, body)])).rejects.toMatchObject({
    retryable: true,
  });
  await store.close();
  const roomy = await folder.open();
  expect(await roomy.conversations.heads("app", "ann", 9)).toEqual([
    { conversation: "ann.bob", head: acknowledged },
  ]);
  expect(await roomy.events.commit([directRun("bob", head, 1, body)])).toEqual([
    { status: "committed", committed: 1 },
  ]);
});

it.each(["writer", "reader"] as const)("survives the death of the %s thread", async (role) => {
  const path = await folder.path();
  const log: Log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const count = vi.fn();
  const workerUrl = new URL("./mortal-worker.ts", import.meta.url);
  const store = await folder.open({ workerUrl, log, metrics: { count } });
  await store.events.commit([directRun("bob", 0)]);
  const channel = new BroadcastChannel(`kill ${path}`);

  channel.postMessage(role);
  await vi.waitFor(() => expect(log.error).toHaveBeenCalledOnce(), { timeout: 20_000 });
  channel.close();

  expect(count).toHaveBeenCalledWith("store_errors", { kind: "thread" });
  expect(await store.events.commit([directRun("bob", 1)])).toEqual([{ status: "committed", committed: 1 }]);
  expect(await store.conversations.heads("app", "bob", 9)).toEqual([{ conversation: "ann.bob", head: 2 }]);
});

it("refuses as store_unavailable what was waiting when the thread died, and repeating it is safe", async () => {
  const path = await folder.path();
  const store = await folder.open({ workerUrl: new URL("./mortal-worker.ts", import.meta.url) });
  const channel = new BroadcastChannel(`kill ${path}`);
  channel.postMessage("writer");
  let head = 0;
  let failure: unknown;

  while (failure === undefined && head < 20_000) {
    await store.events.commit([directRun("bob", head)]).then(
      () => {
        head += 1;
      },
      (error) => {
        failure = error;
      },
    );
  }
  channel.close();

  expect(failure).toMatchObject({ code: "store_unavailable", message: "the database's writer thread ended" });
  expect(await store.events.commit([directRun("bob", head)])).toEqual([
    { status: "committed", committed: 1 },
  ]);
  expect(await store.conversations.heads("app", "ann", 9)).toEqual([
    { conversation: "ann.bob", head: head + 1 },
  ]);
});

it("refuses calls after it was closed", async () => {
  const store = await folder.open();
  await store.close();

  await expect(store.events.commit([directRun("bob", 0)])).rejects.toMatchObject({
    code: "store_unavailable",
  });
  await expect(store.users.get("app", "ann")).rejects.toMatchObject({ code: "store_unavailable" });
});

it("lets a process end that has closed its store", async () => {
  const { Worker } = await import("node:worker_threads");
  const url = new URL("../src/index.ts", import.meta.url).href;
  const path = await folder.path();
  const script = `import(${JSON.stringify(url)}).then(async ({ openSqliteStore }) => {
    const store = await openSqliteStore({ path: ${JSON.stringify(path)} });
    await store.close();
  })`;

  const worker = new Worker(script, { eval: true, execArgv: ["--conditions=@chat21/source"] });

  expect(await once(worker, "exit")).toEqual([0]);
});

it("keeps marks whose flush failed, for the next one", async () => {
  const path = await folder.path();
  const store = await folder.open({ workerUrl: new URL("./mortal-worker.ts", import.meta.url) });
  const count = 5_000;
  await store.events.commit([directRun("bob", 0, count)]);
  const channel = new BroadcastChannel(`kill ${path}`);
  channel.postMessage("writer");
  let seq = 0;
  let failure: unknown;

  while (failure === undefined && seq < count) {
    seq += 1;
    store.events.markDispatched([{ app: "app", conversation: "ann.bob", seq }]);
    await store.events.flushDispatchMarks().catch((error) => {
      failure = error;
    });
  }
  channel.close();
  await store.events.flushDispatchMarks();

  expect(failure).toMatchObject({ code: "store_unavailable" });
  expect(checkSqlite(path).undispatched).toBe(count - seq);
});
