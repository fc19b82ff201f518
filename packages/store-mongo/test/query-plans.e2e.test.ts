import type { EventRecord } from "@chat21/engine";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import type { mongo } from "mongoose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "../src/index.ts";
import { dropDatabase, withCollections } from "./test-database.ts";

/** What the profiler says of one operation. */
interface Profiled {
  readonly ns: string;
  readonly op: string;
  readonly planSummary?: string;
  readonly docsExamined?: number;
  readonly keysExamined?: number;
  readonly nreturned?: number;
  readonly hasSortStage?: boolean;
  readonly command?: Record<string, unknown>;
}

const count = 4_000;
let server: RequiredMongo;
let store: MongoStore;

function event(conversation: string, seq: number): EventRecord {
  const name = `${conversation}-${seq}`;
  return {
    ...{ app: "app", conversation, seq, type: "message", sender: "ann", clientMessageId: `key-${name}` },
    ...{ messageId: `id-${name}`, timestamp: 1_700_000_000_000 + seq, committedAt: 1_700_000_000_000 + seq },
    ...{ body: "{}", tempUid: `temp-${name}`, hiddenFor: null, listed: true, overlay: null },
  };
}

async function fill(): Promise<void> {
  const members = ["ann", "bob"].map((user) => ({ user, role: "member", intervals: [[1, null]] }) as const);
  for (const conversation of ["ann.bob", "group-1", "group-2"]) {
    for (let head = 0; head < count; head += 1_000) {
      const events = Array.from({ length: 1_000 }, (_, index) => event(conversation, head + 1 + index));
      const facts = { kind: "group", transient: false, ...(head === 0 ? { members } : {}) } as const;
      await store.events.commit([{ app: "app", conversation, expectedHead: head, ...facts, events }]);
      store.events.markDispatched(events);
    }
  }
  await store.conversations.patch([{ app: "app", conversation: "group-1", user: "bob", read: count - 20 }]);
  const rows = Array.from({ length: 500 }, (_, index) => ({
    ...{
      id: `row-${index}`,
      endpoint: "e",
      app: "app",
      orderKey: `lane-${index % 50}`,
      event: "message-sent",
    },
    ...{ body: "{}", createdAt: 1_000 },
  }));
  await store.webhooks.enqueue(rows);
  await store.presence.renew(
    Array.from({ length: 500 }, (_, index) => ({
      ...{ app: "app", user: `user-${index}`, clientId: "web", expiresAt: 10_000 + index },
    })),
    1_000,
  );
}

/** Waits for what earlier tests left to travel behind their commits: marks, and the heads that documents carry. */
async function settle(): Promise<void> {
  await store.events.flushDispatchMarks();
  const loaded = await store.conversations.load(
    ["ann.bob", "group-1", "group-2"].map((conversation) => ({ app: "app", conversation })),
  );
  const stored = () => withCollections(server, ({ conversations }) => conversations.find().toArray());
  for (const record of loaded) {
    await expect
      .poll(async () => (await stored()).find(({ _id }) => _id.conversation === record?.conversation)?.head)
      .toBe(record?.head);
  }
}

/** Everything the server did in our collections while `run` ran. */
async function profile(run: () => Promise<unknown>): Promise<Profiled[]> {
  await settle();
  return withCollections(server, async (_, client) => {
    const database = client.db(server.database);
    await database.command({ profile: 0 });
    await database.collection("system.profile").drop();
    await database.command({ profile: 2 });
    await run();
    await database.command({ profile: 0 });
    const found = await database.collection("system.profile").find().toArray();
    return (found as unknown as Profiled[]).filter(({ ns }) => ns.includes(".chat21_"));
  });
}

beforeAll(async () => {
  // The profiler and the plans are the server's: this one is nobody else's.
  server = await requireMongo({ isOwn: true });
  await migrateMongoStore(server);
  // Nobody but the tests asks anything.
  store = await connectMongoStore({ ...server, headSweepMs: 3_600_000 });
  await fill();
});
afterAll(async () => {
  await store.close();
  await dropDatabase(server);
  await server.stop();
});

describe("a query on the way of messages", () => {
  const key = { app: "app", conversation: "group-1" };
  const marks = () => store.events.undispatched(100, Number.MAX_SAFE_INTEGER);
  // Waits in another conversation, in great number: none of it is looked at.
  const marksOf = () =>
    store.events.undispatched(100, Number.MAX_SAFE_INTEGER, { ...key, conversation: "group-none" });
  const flush = () => {
    store.events.markDispatched([{ app: "app", conversation: "ann.bob", seq: 1 }]);
    return store.events.flushDispatchMarks();
  };
  let cursor = "";
  const changes = async (user: string, since = "") => {
    const limits = { limit: 100, eventsEach: 5, characters: 1e6 };
    const from = since === "" ? {} : { cursor: since };
    const answer = await store.conversations.changes({ app: "app", user, ...limits, ...from });
    ({ cursor } = answer);
  };
  const leaseNames = [1, 2, 3].map((index) => `partition/${index}`);
  const lease = () => store.webhooks.lease({ endpoint: "e", now: 2_000, leaseUntil: 3_000, limit: 10 });

  it.each<[name: string, maxDocuments: number, run: () => Promise<unknown>]>([
    [
      "of a commit",
      3,
      () =>
        store.events.commit([
          {
            ...key,
            expectedHead: count,
            kind: "group",
            transient: false,
            events: [event("group-1", count + 1)],
          },
        ]),
    ],
    [
      "of a repeat",
      10,
      () =>
        store.events.commit([
          { ...key, expectedHead: 3, kind: "group", transient: false, events: [event("group-1", 4)] },
        ]),
    ],
    ["of the newest page", 50, () => store.events.read({ ...key, limit: 50, from: "newest" })],
    [
      "of a page that a member sees",
      52,
      () => store.events.read({ ...key, before: 900, limit: 50, from: "newest", visibleTo: "bob" }),
    ],
    ["by message id", 1, () => store.events.find("app", "group-1", "id-group-1-77")],
    ["by temporary id", 1, () => store.events.find("app", "group-1", "temp-group-1-77")],
    ["by an unknown id", 0, () => store.events.find("app", "group-1", "none")],
    ["by idempotency key", 1, () => store.events.findByClientMessageId("app", "ann", "key-group-1-77")],
    ["of what is undispatched", 30, marks],
    // One document more than without a cursor: that of the writer.
    ["of what is undispatched in one conversation", 1, marksOf],
    [
      "of what is unacknowledged in one conversation",
      0,
      () => store.redeliveries.unacknowledged("app", "group-none"),
    ],
    [
      "of what was dispatched in another's place",
      3,
      () => store.redeliveries.markRedispatched([{ app: "app", conversation: "ann.bob", seq: 1 }]),
    ],
    [
      "of what could not be acknowledged",
      3,
      () => store.redeliveries.markUnacknowledged([{ app: "app", conversation: "ann.bob", seq: 1 }]),
    ],
    ["of a flush of marks", 2, flush],
    ["of a load", 10, () => store.conversations.load([key])],
    [
      "of a page within characters",
      51,
      () => store.events.read({ ...key, limit: 50, from: "oldest", characters: 99, withoutErased: true }),
    ],
    ["of a step through a conversation", 500, () => store.events.findMessages(key)],
    [
      "of a step through a sender's messages in a conversation",
      500,
      () => store.events.findMessages({ ...key, sender: "ann" }),
    ],
    [
      "of a step through a sender's messages",
      503,
      () => store.events.findMessages({ app: "app", sender: "ann" }),
    ],
    ["of changes, when there are none", 4, () => changes("zoe")],
    // In two of the conversations bob has 1,000 messages to read.
    ["of everything that changed", 2_100, () => changes("bob")],
    ["of what changed since", 60, () => changes("bob", cursor)],
    [
      "of a list",
      3 * 30,
      () => store.conversations.list({ app: "app", user: "ann", archived: false, limit: 20 }),
    ],
    ["of a view", 40, () => store.conversations.view("app", "group-1", "bob")],
    // No document of a place: names come from an index alone.
    ["of heads", 3, () => store.conversations.heads("app", "bob", 100)],
    ["of some heads", 1, () => store.conversations.heads("app", "bob", 1)],
    ["of peers", 5, () => store.conversations.peers("app", "bob", 100)],
    ["of a member's groups", 5, () => store.conversations.groups({ app: "app", member: "bob", limit: 1 })],
    ["of a receipt", 10, () => store.conversations.patch([{ ...key, user: "bob", delivered: 7 }])],
    ["of a webhook lease", 60, lease],
    ["of what webhooks are due", 0, () => store.webhooks.due()],
    ["of presence", 2, () => store.presence.get("app", ["user-1", "user-2"], 2_000)],
    ["of presence that is about to run out", 20, () => store.presence.expiring(10_400, 20)],
    ["of a client's presence", 1, () => store.presence.ofClient("phone-7")],
    ["of leases that are taken", 9, () => store.leases.acquire("ann", leaseNames, 60_000)],
    ["of leases that are extended", 3, () => store.leases.acquire("ann", leaseNames, 90_000)],
    ["of leases that somebody else has", 6, () => store.leases.acquire("bob", leaseNames, 60_000)],
    ["of leases that are listed", 3, () => store.leases.list("partition/")],
    ["of leases that are released", 6, () => store.leases.release("ann", leaseNames)],
    ["of presence that runs out", 15, () => store.presence.expire(10_004)],
    ["of revocations", 0, () => store.revocations.list(1_000)],
    ["of a server key", 0, () => store.serverKeys.find("hash")],
    ["of an app's server keys", 0, () => store.serverKeys.list("app")],
    ["of a server key that is revoked", 0, () => store.serverKeys.remove("app", "id")],
  ])("%s goes by an index and looks at no more than it needs", async (_, maxDocuments, run) => {
    const operations = await profile(run);

    expect(operations.length).toBeGreaterThan(0);
    const plans = operations.map(({ ns, op, planSummary }) => `${ns} ${op} ${planSummary ?? ""}`);
    expect(plans.filter((plan) => plan.includes("COLLSCAN"))).toEqual([]);
    const examined = operations.reduce((sum, { docsExamined = 0 }) => sum + docsExamined, 0);
    expect(examined).toBeLessThanOrEqual(maxDocuments);
  });

  it("is written once for everybody who waits for marks at the same time", async () => {
    const operations = await profile(async () => {
      const flushes = Array.from({ length: 20 }, (_, index) => {
        store.events.markDispatched([{ ...key, seq: index + 1 }]);
        return store.events.flushDispatchMarks();
      });
      await Promise.all(flushes);
    });

    // The first goes at once, the others together behind it.
    expect(operations.filter(({ ns }) => ns.endsWith("chat21_writers"))).toHaveLength(2);
  });

  it("names the unread numbers up to the last listed message, and none of those that follow it", async () => {
    const conversation = "group-unlisted";
    const members = [{ user: "carl", role: "member", intervals: [[1, null]] }] as const;
    const events = Array.from({ length: 1_000 }, (_, index) => ({
      ...event(conversation, index + 1),
      listed: index === 0,
    }));
    const facts = { kind: "group", transient: false, members } as const;
    await store.events.commit([{ app: "app", conversation, expectedHead: 0, ...facts, events }]);
    store.events.markDispatched(events);

    const operations = await profile(async () => {
      expect(await store.conversations.view("app", conversation, "carl")).toMatchObject({ unread: 1 });
    });

    const texts = operations.map(({ command }) => JSON.stringify(command));
    const counts = texts.filter((text) => text.includes("$group"));
    expect(counts).toHaveLength(1);
    expect(counts[0]?.match(/"seq":\d+/g)).toEqual(['"seq":1']);
    expect(texts.filter((text) => text.includes("$truncated"))).toEqual([]);
  });

  it("has a limit of time, whatever it asks", async () => {
    const operations = await profile(async () => {
      await store.conversations.list({ app: "app", user: "ann", archived: null, limit: 20 });
      await store.events.read({ ...key, limit: 1, from: "newest", visibleTo: "bob" });
      await store.users.list("app", 10);
      await store.webhooks.list({ limit: 1 });
      await marks();
    });

    const queries = operations.filter(
      ({ command }) => command !== undefined && ("find" in command || "aggregate" in command),
    );
    expect(queries.length).toBeGreaterThan(5);
    const unlimited = queries.filter(({ command }) => (command as mongo.Document)["maxTimeMS"] === undefined);
    expect(unlimited.map(({ command }) => command)).toEqual([]);
  });
});
