import type { EventRecord, Store } from "@chat21/engine";
import { createMemoryDisk, createMemoryStore } from "@chat21/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { importOriginalConversations } from "../src/conversations/import-conversations.ts";
import type { RefusedItem } from "../src/conversations/report.ts";
import type { OriginalDocument } from "../src/documents/copy.ts";
import { copyOf, now, type Originals, sourceOf } from "./copies.ts";

const app = "tilechat";
const clock = { now: () => now };

interface Imported {
  readonly store: Store;
  readonly report: Awaited<ReturnType<typeof importOriginalConversations>>;
  readonly refused: RefusedItem[];
}

async function imported(originals: Originals, store: Store = createMemoryStore()): Promise<Imported> {
  const refused: RefusedItem[] = [];
  const source = sourceOf(originals);
  const report = await importOriginalConversations({
    store,
    source,
    clock,
    onRefused: (item) => refused.push(item),
  });
  return { store, report, refused };
}

const eventsOf = (store: Store, conversation: string) =>
  store.events.read({ app, conversation, limit: 1_000, from: "oldest" });

async function membersOf(store: Store, conversation: string) {
  const [record] = await store.conversations.load([{ app, conversation }]);
  return Object.fromEntries(
    (record?.members ?? []).map(({ user, role, intervals }) => [user, { role, intervals }]),
  );
}

const stateOf = async (store: Store, conversation: string, user: string) =>
  (await store.conversations.view(app, conversation, user))?.state;

/** A direct message in both timelines. */
function direct(id: string, sender: string, recipient: string, timestamp: number, more: object = {}) {
  const message = { message_id: id, sender, recipient, timestamp, text: id, ...more };
  return [copyOf(message, sender, 100), copyOf(message, recipient, 150)];
}

/** A group message in the timelines of these people, and in the group's own. */
function toGroup(
  id: string,
  sender: string,
  owners: readonly string[],
  timestamp: number,
  more: object = {},
) {
  const message = { message_id: id, sender, recipient: "group-g", timestamp, text: id, ...more };
  return [...owners.map((owner) => copyOf(message, owner)), copyOf(message, "group-g", 100)];
}

const created = { name: "G", owner: "a", createdOn: 1, updatedOn: 2, attributes: '{"k":1}' };

describe("importOriginalConversations", () => {
  it("merges copies, orders by time and id, and numbers from one", async () => {
    const copies = [
      ...direct("m3", "b", "a", 2_000),
      ...direct("m1", "a", "b", 1_000),
      ...direct("m4", "a", "b", 2_000),
      ...direct("m2", "a", "b", 2_000),
    ];

    const { store, report } = await imported({ copies });

    const events = await eventsOf(store, "a.b");
    expect(events.map(({ seq, messageId, timestamp }) => [seq, messageId, timestamp])).toEqual([
      [1, "m1", 1_000],
      [2, "m2", 2_000],
      [3, "m3", 2_001],
      [4, "m4", 2_002],
    ]);
    expect(report.conversations).toMatchObject({ imported: 1, skipped: 0 });
    expect(report.messages).toMatchObject({ imported: 4, moved: 2 });
  });

  it("keeps what the sender wrote byte for byte, less the server's keys", async () => {
    const more = { type: "text", own: { deep: [1, null] }, metadata: null, attributes: { tempUID: "T" } };

    const { store } = await imported({ copies: direct("m1", "a", "b", 1_000, more) });

    const [event] = await eventsOf(store, "a.b");
    expect(event?.body).toBe(JSON.stringify({ text: "m1", ...more }));
    expect(event?.tempUid).toBe("T");
  });

  it("lets a member see exactly the numbers of the copies, and a present one what follows", async () => {
    const copies = [1, 2, 3, 4, 5, 6].flatMap((n) =>
      toGroup(
        `m${n}`,
        "a",
        ["a", ...(n >= 3 ? ["b"] : []), ...(n === 2 || n === 4 ? ["gone"] : [])],
        n * 1_000,
      ),
    );
    const group = { record: created, members: ["a", "b", "new"] };

    const { store } = await imported({ copies, groups: { "group-g": group } });

    expect(await membersOf(store, "group-g")).toEqual({
      a: { role: "owner", intervals: [[1, null]] },
      b: { role: "member", intervals: [[3, null]] },
      new: { role: "member", intervals: [[7, null]] },
      gone: {
        role: "member",
        intervals: [
          [2, 2],
          [4, 4],
        ],
      },
    });
    const [record] = await store.conversations.load([{ app, conversation: "group-g" }]);
    expect(record).toMatchObject({ transient: false, group: created, head: 6 });
  });

  it("leaves no gap where a message is hidden from a member, and hides nothing that the member has", async () => {
    const hidden = { attributes: { hiddenFor: "b" } };
    const copies = [
      ...toGroup("m1", "a", ["a", "b"], 1_000),
      ...toGroup("m2", "a", ["a"], 2_000, hidden),
      ...toGroup("m3", "a", ["a", "b"], 3_000, hidden),
    ];

    const { store } = await imported({
      copies,
      groups: { "group-g": { record: created, members: ["a", "b"] } },
    });

    expect((await membersOf(store, "group-g"))["b"]?.intervals).toEqual([[1, null]]);
    expect((await eventsOf(store, "group-g")).map(({ hiddenFor }) => hiddenFor)).toEqual([null, "b", null]);
  });

  it("gives a group nobody created to its first sender", async () => {
    const copies = [...toGroup("m1", "system", [], 500), ...toGroup("m2", "a", ["a"], 1_000)];

    const { store, report } = await imported({ copies });

    const [record] = await store.conversations.load([{ app, conversation: "group-g" }]);
    expect(record).toMatchObject({ transient: true, group: null });
    expect(await membersOf(store, "group-g")).toEqual({ a: { role: "owner", intervals: [[2, null]] } });
    expect(report.groups).toEqual({ created: 0, transient: 1 });
  });

  it("keeps a group in which nobody has written", async () => {
    const { store, report } = await imported({
      copies: [],
      groups: { "group-g": { record: created, members: ["a"] } },
    });

    const [record] = await store.conversations.load([{ app, conversation: "group-g" }]);
    expect(record).toMatchObject({ group: created, head: 1 });
    expect(report.conversations.imported).toBe(1);
    expect(report.messages.imported).toBe(0);
  });

  it("keeps notes to self once", async () => {
    const message = { message_id: "m1", sender: "a", recipient: "a", timestamp: 1_000, text: "note" };

    const { store } = await imported({ copies: [copyOf(message, "a")] });

    expect(await eventsOf(store, "a.a")).toHaveLength(1);
    expect(await membersOf(store, "a.a")).toEqual({ a: { role: "member", intervals: [[1, null]] } });
  });

  it("turns states of copies into watermarks, and list entries into what is read and archived", async () => {
    const message = (id: string, timestamp: number) => ({
      message_id: id,
      sender: "a",
      recipient: "b",
      timestamp,
      text: id,
    });
    const copies = [
      copyOf(message("m1", 1_000), "a", 250),
      copyOf(message("m1", 1_000), "b", 200),
      copyOf(message("m2", 2_000), "a", 250),
      copyOf(message("m2", 2_000), "b", 150),
      copyOf(message("m3", 3_000), "a", 100),
      copyOf(message("m3", 3_000), "b", 150),
    ];
    const entries = {
      "a.b": { a: { isNew: false, isArchived: true }, b: { isNew: true, isArchived: false } },
    };

    const { store } = await imported({ copies, entries });

    expect(await stateOf(store, "a.b", "a")).toMatchObject({ delivered: 0, read: 3, archivedAt: 3 });
    expect(await stateOf(store, "a.b", "b")).toMatchObject({ delivered: 2, read: 0, archivedAt: null });
    const [archived] = await store.conversations.list({ app, user: "a", archived: true, limit: 10 });
    expect(archived?.last?.messageId).toBe("m3");
  });

  it("takes a conversation off the list of whoever had it on none", async () => {
    const copies = direct("m1", "a", "b", 1_000);
    const entries = { "a.b": { a: { isNew: false, isArchived: false } } };

    const { store } = await imported({ copies, entries });

    const listOf = (user: string) => store.conversations.list({ app, user, archived: null, limit: 10 });
    expect(await listOf("a")).toHaveLength(1);
    expect(await listOf("b")).toEqual([]);
  });

  it("leaves alone and reports what has events of its own", async () => {
    const { store } = await imported({ copies: direct("m0", "b", "a", 500) });
    const own = copyOf({ message_id: "other", sender: "a", recipient: "c", timestamp: 1, text: "" }, "a");
    await importOriginalConversations({ store, source: sourceOf({ copies: [own] }), clock });
    const before = await eventsOf(store, "a.c");

    const { report, refused } = await imported({ copies: direct("m1", "a", "c", 1_000) }, store);

    expect(report.conversations).toMatchObject({ imported: 0, skipped: 1 });
    expect(refused).toMatchObject([{ reason: "native_events", conversation: "a.c", messages: 1 }]);
    expect(await eventsOf(store, "a.c")).toEqual(before);
  });

  it("numbers the messages that an original has written since the last import behind the others", async () => {
    const first = direct("m1", "a", "b", 1_000);
    const { store } = await imported({ copies: first });

    const { report } = await imported({ copies: [...first, ...direct("m2", "b", "a", 2_000)] }, store);

    expect((await eventsOf(store, "a.b")).map(({ messageId }) => messageId)).toEqual(["m1", "m2"]);
    expect(report.conversations).toMatchObject({ imported: 1, resumed: 1 });
    expect(report.messages).toMatchObject({ imported: 1, numbered: 1 });
  });

  it("skips what is numbered already", async () => {
    const copies = [...direct("m1", "a", "b", 1_000), ...toGroup("m2", "a", ["a"], 1_000)];
    const { store } = await imported({ copies });
    await store.conversations.patch([{ app, conversation: "a.b", user: "a", archivedAt: 1 }]);

    const { report } = await imported({ copies }, store);

    expect(report.conversations).toMatchObject({ imported: 0, resumed: 0, numbered: 2 });
    expect((await stateOf(store, "a.b", "a"))?.archivedAt).toBe(1);
  });

  it("keeps all messages with one idempotency key, and one of them under the key", async () => {
    const key = { client_message_id: "once" };
    const copies = [
      ...direct("m1", "a", "b", 1_000, key),
      ...direct("m2", "a", "b", 2_000, key),
      ...direct("m3", "a", "c", 3_000, key),
    ];

    const { store, report } = await imported({ copies });

    expect(report.messages.imported).toBe(3);
    const events = [...(await eventsOf(store, "a.b")), ...(await eventsOf(store, "a.c"))];
    expect(events.map(({ clientMessageId }) => clientMessageId).filter((id) => id !== null)).toEqual([
      "once",
    ]);
  });

  it.each([
    ["message_too_large", { text: "x".repeat(110_000) }],
    ["malformed", { group: 5 }],
  ])("refuses with the reason %s, and gives the number to the next", async (reason, more) => {
    const copies = [...direct("m1", "a", "b", 1_000, more), ...direct("m2", "a", "b", 2_000)];

    const { store, report, refused } = await imported({ copies });

    expect(refused).toMatchObject([{ reason, messageId: "m1", conversation: "a.b" }]);
    expect(report.refused).toEqual({ [reason]: 1 });
    expect((await eventsOf(store, "a.b")).map(({ seq, messageId }) => [seq, messageId])).toEqual([[1, "m2"]]);
  });

  it("writes nothing in a dry run, and counts the same", async () => {
    const copies = [...direct("m1", "a", "b", 1_000), ...toGroup("m2", "a", ["a"], 1_000)];
    const store = createMemoryStore();

    const dry = await importOriginalConversations({
      store,
      source: sourceOf({ copies }),
      clock,
      isDryRun: true,
    });
    const without = await importOriginalConversations({ store: null, source: sourceOf({ copies }), clock });
    const heads = await store.conversations.heads(app, "a", 10);
    const { report } = await imported({ copies }, store);

    expect(heads).toEqual([]);
    expect(dry).toEqual(report);
    expect(without).toEqual(report);
  });

  it("leaves nothing to be dispatched", async () => {
    const { store } = await imported({ copies: direct("m1", "a", "b", 1_000) });

    expect(await store.events.undispatched(10, now + 1)).toEqual([]);
  });
});

/** Copies of one direct conversation and one group, many of them at the same time, of some members only. */
const originalsArbitrary = fc
  .array(
    fc.record({
      timestamp: fc.integer({ min: 1, max: 6 }),
      isGroup: fc.boolean(),
      isFromA: fc.boolean(),
      owners: fc.subarray(["a", "b", "c"], { minLength: 1 }),
      status: fc.constantFrom(100, 150, 200, 250),
    }),
    { maxLength: 14 },
  )
  .map((drafts) =>
    drafts.flatMap(({ timestamp, isGroup, isFromA, owners, status }, index): OriginalDocument[] => {
      const [sender, other] = isFromA ? ["a", "b"] : ["b", "a"];
      const recipient = isGroup ? "group-g" : (other as string);
      const message = {
        message_id: `m${index}`,
        sender: sender as string,
        recipient,
        timestamp,
        text: `${index}`,
      };
      const own = isGroup ? owners : owners.filter((owner) => owner !== "c");
      return own.map((owner) => copyOf(message, owner, status));
    }),
  );

const groups = { "group-g": { record: created, members: ["a", "c"] } };
const entries = {
  "a.b": { a: { isNew: true, isArchived: true }, b: { isNew: false, isArchived: false } },
  "group-g": { a: { isNew: false, isArchived: true } },
};

/** All that an import leaves behind. */
async function contentOf(store: Store) {
  const content: unknown[] = [];
  for (const conversation of ["a.b", "group-g"]) {
    const events: readonly EventRecord[] = await eventsOf(store, conversation);
    content.push(events, await membersOf(store, conversation));
    for (const user of ["a", "b", "c"]) {
      content.push((await store.conversations.view(app, conversation, user))?.state);
    }
  }
  return [...content, await store.events.undispatched(100, now + 1)];
}

describe("importOriginalConversations, whatever the order and wherever it is cut short", () => {
  it("leaves the same for every order of the copies, with repeats among them", async () => {
    await fc.assert(
      fc.asyncProperty(
        originalsArbitrary.chain((copies) =>
          fc.tuple(
            fc.constant(copies),
            fc.shuffledSubarray([...copies, ...copies], { minLength: copies.length * 2 }),
            fc.integer({ min: 1, max: 5 }),
          ),
        ),
        async ([copies, shuffled, pageSize]) => {
          const plain = await imported({ copies, groups, entries });
          const mixed = await imported({ copies: shuffled, groups, entries, pageSize });

          expect(await contentOf(mixed.store)).toEqual(await contentOf(plain.store));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("comes to the same end after crashes at any of the store's points", async () => {
    await fc.assert(
      fc.asyncProperty(
        originalsArbitrary,
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (copies, crashes, runEvents) => {
          const source = () => sourceOf({ copies, groups, entries });
          const disk = createMemoryDisk("epoch");

          for (const after of crashes) {
            let left = after;
            const gate = async () => {
              left -= 1;
              if (left <= 0) throw new Error("the process is gone");
            };
            const store = createMemoryStore({ disk, gate });
            await importOriginalConversations({ store, source: source(), clock, runEvents }).catch(() => {});
          }
          const store = createMemoryStore({ disk });
          await importOriginalConversations({ store, source: source(), clock });

          expect(await contentOf(store)).toEqual(
            await contentOf((await imported({ copies, groups, entries })).store),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
