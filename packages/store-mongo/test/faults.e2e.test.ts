import { setTimeout as delay } from "node:timers/promises";
import type { EventRecord, Run, RunResult, Store } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectMongoStore, migrateMongoStore } from "../src/index.ts";
import { electionTerm, stepDown } from "./elections.ts";
import { pauseProcess } from "./pause-process.ts";
import { withCollections } from "./test-database.ts";

let mongo: RequiredMongo;

beforeAll(async () => {
  mongo = await requireMongo({ isOwn: true });
  await migrateMongoStore(mongo);
});
afterAll(() => mongo.stop());

function event(conversation: string, seq: number, name: string): EventRecord {
  return {
    ...{ app: "app", conversation, seq, type: "message", sender: "ann", clientMessageId: name },
    ...{ messageId: `id-${name}`, timestamp: 1_700_000_000_000 + seq, committedAt: 1_700_000_000_000 },
    ...{ body: `{"text":"${name}"}`, tempUid: null, hiddenFor: null, listed: true, overlay: null },
  };
}

function run(conversation: string, expectedHead: number, ...names: readonly string[]): Run {
  const members = ["ann", "bob"].map((user) => ({ user, role: "member", intervals: [[1, null]] }) as const);
  return {
    ...{ app: "app", conversation, expectedHead, kind: "direct", transient: false },
    ...(expectedHead === 0 ? { members } : {}),
    events: names.map((name, index) => event(conversation, expectedHead + 1 + index, name)),
  };
}

/** Repeats the very same call until the store answers, as its callers do. */
async function untilAnswered(store: Store, runs: readonly Run[]): Promise<readonly RunResult[]> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await store.events.commit(runs);
    } catch (thrown) {
      if (!(thrown instanceof ChatError) || thrown.code !== "store_unavailable" || attempt > 100)
        throw thrown;
      await delay(50);
    }
  }
}

async function logOf(store: Store, conversation: string): Promise<readonly EventRecord[]> {
  return store.events.read({ app: "app", conversation, limit: 1_000, from: "oldest" });
}

describe("a store whose server steps down while it commits", () => {
  it("loses nothing, doubles nothing and leaves no hole", async () => {
    const store = await connectMongoStore(mongo);
    const termBefore = await electionTerm(mongo);
    let wanted = 3;
    const resigning = (async () => {
      while (wanted > 0) {
        await delay(1_000);
        await stepDown(mongo);
        wanted -= 1;
      }
    })();

    const names: string[] = [];
    for (let head = 0; wanted > 0 || head < 60; head += 3) {
      const fresh = [0, 1, 2].map((index) => `${head + index}`);
      const [result] = await untilAnswered(store, [run("ann.bob", head, ...fresh)]);
      // Of a run that was cut in the middle the front is there: its first event answers for itself.
      expect(result?.status === "committed" || result?.status === "repeat").toBe(true);
      if (result?.status === "repeat") {
        const stored = (await logOf(store, "ann.bob")).length - head;
        await untilAnswered(store, [run("ann.bob", head + stored, ...fresh.slice(stored))]);
      }
      names.push(...fresh);
      if (names.length >= 900) break;
    }
    await resigning;
    expect(await electionTerm(mongo)).toBeGreaterThanOrEqual(termBefore + 3);

    const log = await logOf(store, "ann.bob");
    expect(log.map(({ clientMessageId }) => clientMessageId)).toEqual(names);
    expect(log.map(({ seq }) => seq)).toEqual(names.map((_, index) => index + 1));
    await store.close();
  });
});

describe("a store whose server pauses for five seconds", () => {
  it("answers what was asked during the pause, once", async () => {
    const store = await connectMongoStore(mongo);
    await untilAnswered(store, [run("paused", 0, "p0")]);
    const pid = mongo.pid ?? 0;

    await pauseProcess(pid);
    const asked = untilAnswered(store, [run("paused", 1, "p1", "p2")]);
    const first = await Promise.race([asked.then(() => "answered"), delay(5_000, "silent")]);
    process.kill(pid, "SIGCONT");
    const [result] = await asked;

    expect(first).toBe("silent");
    expect(result).toEqual({ status: "committed", committed: 2 });
    expect((await logOf(store, "paused")).map(({ messageId }) => messageId)).toEqual([
      "id-p0",
      "id-p1",
      "id-p2",
    ]);
    await store.close();
  });

  it("fails as unavailable when its patience is shorter, and the same call again stores nothing twice", async () => {
    const store = await connectMongoStore({
      ...mongo,
      socketTimeoutMs: 1_000,
      serverSelectionTimeoutMs: 1_000,
    });
    await untilAnswered(store, [run("impatient", 0, "i0")]);
    const pid = mongo.pid ?? 0;

    await pauseProcess(pid);
    const refused = await store.events.commit([run("impatient", 1, "i1")]).catch((error) => error);
    process.kill(pid, "SIGCONT");
    const [result] = await untilAnswered(store, [run("impatient", 1, "i1")]);

    expect(refused).toMatchObject({ code: "store_unavailable" });
    expect(result).toEqual({ status: "committed", committed: 1 });
    expect(await logOf(store, "impatient")).toHaveLength(2);
    await store.close();
  });
});

describe("marks whose flush fails", () => {
  it("wait for the next one", async () => {
    const store = await connectMongoStore({
      ...mongo,
      socketTimeoutMs: 1_000,
      serverSelectionTimeoutMs: 1_000,
    });
    const names = Array.from({ length: 100 }, (_, index) => `f${index + 1}`);
    await store.events.commit([run("flushed", 0, ...names)]);
    const mark = (seq: number) => store.events.markDispatched([{ app: "app", conversation: "flushed", seq }]);
    const pid = mongo.pid ?? 0;

    await pauseProcess(pid);
    let seq = 0;
    let failure: unknown;
    // A signal takes its time: what is asked at once may still be answered.
    while (failure === undefined && seq < names.length - 2) {
      seq += 1;
      mark(seq);
      await store.events.flushDispatchMarks().catch((error) => {
        failure = error;
      });
    }
    mark(names.length);
    const next = await store.events.flushDispatchMarks().catch((error) => error);
    process.kill(pid, "SIGCONT");
    await expect.poll(() => store.events.flushDispatchMarks().then(() => "written", String)).toBe("written");

    expect([failure, next]).toMatchObject([{ code: "store_unavailable" }, { code: "store_unavailable" }]);
    const marked = await withCollections(mongo, ({ events }) =>
      events.find({ "_id.conversation": "flushed", undispatched: { $exists: true } }).toArray(),
    );
    const left = names.map((_, index) => index + 1).slice(seq, -1);
    expect(marked.map(({ _id }) => _id.seq).toSorted((a, b) => a - b)).toEqual(left);
    await store.close();
  });
});

describe("a store whose connections are all busy with a server that pauses", () => {
  it("fails as unavailable, be it in the middle of a bulk", async () => {
    const store = await connectMongoStore({
      ...mongo,
      maxConnections: 1,
      socketTimeoutMs: 1_000,
      serverSelectionTimeoutMs: 5_000,
    });
    const pid = mongo.pid ?? 0;

    await pauseProcess(pid);
    const calls = Array.from({ length: 5 }, (_, index) =>
      store.leases.acquire("ann", [`busy-${index}`], 1_000),
    );
    const outcomes = await Promise.allSettled([store.users.get("app", "ann"), ...calls]);
    process.kill(pid, "SIGCONT");

    // A signal takes its time: the first may still be answered.
    const codes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
    expect(new Set(codes)).toEqual(new Set(["store_unavailable"]));
    await store.close();
  });
});

describe("a store that is opened", () => {
  it("says that nobody answers", async () => {
    const uri = "mongodb://127.0.0.1:9/?replicaSet=rs0";

    const opening = connectMongoStore({ uri, serverSelectionTimeoutMs: 300 });

    await expect(opening).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("refuses calls after its close", async () => {
    const store = await connectMongoStore(mongo);
    await store.close();

    await expect(store.users.get("app", "ann")).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(store.leases.acquire("a", ["x"], 1_000)).rejects.toMatchObject({
      code: "store_unavailable",
    });
    await expect(store.events.flushDispatchMarks()).rejects.toMatchObject({ code: "store_unavailable" });
  });
});
