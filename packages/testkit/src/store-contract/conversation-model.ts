import type {
  EventRange,
  EventRecord,
  ListBound,
  MemberPatch,
  MemberRecord,
  Run,
  RunResult,
  Store,
} from "@chat21/engine";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createMemoryStore } from "../memory-store.ts";
import { sampleGroup, sampleRun, sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

const users = ["ann", "bob", "cid"] as const;
const conversations = ["ann.bob", "ann.ann", "group-1", "group-2"] as const;
const user = fc.constantFrom(...users);
const conversation = fc.constantFrom(...conversations);
const number = fc.integer({ min: 0, max: 12 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** One call, made on the memory store and on the store under test; their answers must be equal. */
type Step = (store: Store, app: string) => Promise<unknown>;

const event: fc.Arbitrary<Partial<EventRecord>> = fc
  .record({
    type: fc.constantFrom("message", "message", "message", "member_added"),
    sender: fc.constantFrom(...users, "system"),
    clientMessageId: fc.constantFrom(null, "k1", "k2", "k3", "k4", "k5", "k6"),
    messageId: fc.uuid(),
    tempUid: fc.constantFrom(null, "t1", "t2"),
    hiddenFor: fc.constantFrom(null, null, null, null, ...users),
    listed: fc.boolean(),
  })
  .map((one) => ({ ...one, listed: one.listed && one.type === "message" }));

const intervals = fc
  .uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 })
  .map((cuts) => cuts.toSorted((a, b) => a - b))
  .map((cuts) =>
    Array.from({ length: Math.ceil(cuts.length / 2) }, (_, index) => {
      return [cuts[2 * index] ?? 1, cuts[2 * index + 1] ?? null] as const;
    }),
  );

const members: fc.Arbitrary<readonly MemberRecord[]> = fc.uniqueArray(
  fc.record({ user, role: fc.constantFrom("owner" as const, "member" as const), intervals }),
  { selector: (member) => member.user },
);

/** A run at the head, or one off it. The head is read when the run is written. */
const run = fc.record({
  conversation,
  off: fc.constantFrom(0, 0, 0, 0, -1, 1),
  gap: fc.integer({ min: 1, max: 3 }),
  events: fc.array(event, { minLength: 1, maxLength: 4 }),
  members: maybe(members),
  group: maybe(fc.constantFrom(sampleGroup, null)),
  transient: fc.boolean(),
});

const commit = fc
  .uniqueArray(run, { minLength: 1, maxLength: 3, selector: (one) => one.conversation })
  .map<Step>((runs) => async (store, app) => {
    const found = await store.conversations.load(
      runs.map((one) => ({ app, conversation: one.conversation })),
    );
    const written = runs.map(({ off, gap, conversation: name, ...facts }, index): Run => {
      const { head = 0, lastTimestamp = sampleTime } = found[index] ?? {};
      const expectedHead = Math.max(0, head + off);
      const events = facts.events.map((one, at) => ({ ...one, timestamp: lastTimestamp + gap * (at + 1) }));
      const { group, members: changed, transient } = facts;
      const given = {
        // No group has the id of a direct conversation.
        ...(group === undefined || !name.startsWith("group-") ? {} : { group }),
        ...(changed === undefined ? {} : { members: changed }),
      };
      return sampleRun(app, name, { expectedHead, transient, events, ...given });
    });
    const results = await commitAlike(store, written);
    const again = await commitAlike(store, written);
    return [results, again];
  });

/**
 * Commits, and then commits the events in front of a repeat: some stores have stored them already, the others store
 * them now, so that all stores go on alike.
 */
async function commitAlike(store: Store, runs: readonly Run[]): Promise<readonly RunResult[]> {
  const results = await store.events.commit(runs);
  const onlyAdds = ({ group, members = [], amendments = [] }: Run) =>
    group === undefined && members.length === 0 && amendments.length === 0;
  const fronts = runs.flatMap((run, i) => {
    const result = results[i];
    const isCut = result?.status === "repeat" && result.index > 0 && onlyAdds(run);
    return isCut && result.committed === 0 ? [{ ...run, events: run.events.slice(0, result.index) }] : [];
  });
  for (const front of fronts) await store.events.commit([front]);
  return results.map((result, i) =>
    result.status === "repeat" && onlyAdds(runs[i] as Run) ? { ...result, committed: result.index } : result,
  );
}

const patch: fc.Arbitrary<Omit<MemberPatch, "app">> = fc
  .record({
    conversation,
    user,
    delivered: maybe(number),
    read: maybe(number),
    archivedAt: maybe(fc.option(number)),
    markedUnread: maybe(fc.boolean()),
    clearedAt: maybe(number),
  })
  .map((fields) => {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
  });

const patches = fc.array(patch, { maxLength: 4 }).map<Step>((list) => (store, app) => {
  return store.conversations.patch(list.map((one) => ({ app, ...one })));
});

const range: fc.Arbitrary<Omit<EventRange, "app">> = fc
  .record({
    conversation,
    after: maybe(number),
    before: maybe(number),
    limit: fc.integer({ min: 1, max: 6 }),
    from: fc.constantFrom("newest" as const, "oldest" as const),
    types: maybe(fc.subarray(["message", "member_added", "erased", "unheard_of"])),
    visibleTo: maybe(user),
    characters: maybe(fc.integer({ min: 0, max: 99 })),
    withoutErased: maybe(fc.boolean()),
  })
  .map((fields) => {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
  });

const read = range.map<Step>((one) => (store, app) => store.events.read({ app, ...one }));

const bound: fc.Arbitrary<ListBound> = fc
  .record({ time: number, conversation: maybe(conversation) })
  .map(({ time, conversation: name }) => ({
    timestamp: sampleTime + time,
    ...(name === undefined ? {} : { conversation: name }),
  }));

const list = fc
  .record({
    user,
    archived: fc.option(fc.boolean()),
    limit: fc.integer({ min: 1, max: 3 }),
    from: fc.constantFrom("newest" as const, "oldest" as const),
    before: maybe(bound),
    after: maybe(bound),
  })
  .map<Step>(({ before, after, ...query }) => (store, app) => {
    const bounds = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    return store.conversations.list({ app, ...query, ...bounds });
  });

const find = fc.tuple(conversation, fc.constantFrom("t1", "t2", "t3")).map<Step>(
  ([name, id]) =>
    (store, app) =>
      store.events.find(app, name, id),
);

/** One run at the head that amends a few numbers; some of them are no messages, or do not exist. */
const amend = fc
  .record({
    name: conversation,
    events: fc.array(event, { minLength: 1, maxLength: 2 }),
    targets: fc.uniqueArray(fc.record({ seq: number, erases: fc.boolean() }), {
      ...{ minLength: 1, maxLength: 3, selector: ({ seq }) => seq },
    }),
  })
  .map<Step>(({ name, events, targets }) => async (store, app) => {
    const [found] = await store.conversations.load([{ app, conversation: name }]);
    const { head: expectedHead = 0, lastTimestamp = sampleTime, transient = false } = found ?? {};
    const timed = events.map((one, at) => ({ ...one, timestamp: lastTimestamp + at + 1 }));
    const overlay = `{"version":${expectedHead + events.length}}`;
    const amendments = targets.map((one) => ({ ...one, overlay }));
    const run = sampleRun(app, name, { expectedHead, transient, events: timed, amendments });
    return commitAlike(store, [run]).catch(({ code }) => code);
  });

const search = fc
  .record({ conversation: maybe(conversation), sender: maybe(user) })
  .map<Step>(({ conversation: name, sender }) => async (store, app) => {
    const where = {
      ...(name === undefined ? {} : { conversation: name }),
      ...(sender === undefined ? {} : { sender }),
    };
    const found: string[] = [];
    try {
      for (let from: string | null = ""; from !== null; ) {
        const step = await store.events.findMessages({ app, ...where, ...(from === "" ? {} : { from }) });
        found.push(...step.found.map((one) => `${one.conversation} ${one.seq}`));
        from = step.next;
      }
    } catch (error) {
      return (error as { code: string }).code;
    }
    return found.toSorted();
  });

const replace = fc
  .record({
    name: conversation,
    off: fc.constantFrom(0, 0, 1),
    seqs: fc.uniqueArray(number, { maxLength: 3 }),
  })
  .map<Step>(({ name, off, seqs }) => async (store, app) => {
    const log = await store.events.read({ app, conversation: name, limit: 1_000, from: "oldest" });
    const expectedHead = log.length + off;
    const messages = seqs.filter((seq) => log[seq - 1]?.type === "message");
    const overlays = messages.map((seq, at) => ({ seq, overlay: `{"version":${at}}`, erases: at === 1 }));
    return store.overlays.replace({ app, conversation: name, expectedHead }, overlays);
  });

const mark = fc
  .tuple(conversation, number, number)
  .map<Step>(([name, first, count]) => async (store, app) => {
    const seqs = Array.from({ length: count }, (_, index) => first + index);
    store.events.markDispatched(seqs.map((seq) => ({ app, conversation: name, seq })));
  });

const step = fc.oneof(
  { weight: 8, arbitrary: commit },
  { weight: 3, arbitrary: patches },
  { weight: 3, arbitrary: read },
  { weight: 2, arbitrary: list },
  { weight: 1, arbitrary: find },
  { weight: 2, arbitrary: amend },
  { weight: 1, arbitrary: search },
  { weight: 1, arbitrary: replace },
  { weight: 1, arbitrary: mark },
);

/** Each store has an order of its own. */
const inOrder = <T extends { readonly conversation: string }>(found: readonly T[]): T[] =>
  found.toSorted((a, b) => (a.conversation < b.conversation ? -1 : 1));

/** All visible data of an app. */
async function seen(store: Store, app: string) {
  const keys = conversations.map((name) => ({ app, conversation: name }));
  const undispatched = await store.events.undispatched(1_000_000, Number.MAX_SAFE_INTEGER);
  // Runs of one call have no order among each other: only the order inside a conversation is promised.
  const waiting = undispatched.toSorted((a, b) => a.conversation.localeCompare(b.conversation));
  return {
    records: await store.conversations.load(keys),
    logs: await Promise.all(keys.map((key) => store.events.read({ ...key, limit: 1_000, from: "oldest" }))),
    views: await Promise.all(
      keys.flatMap((key) => users.map((one) => store.conversations.view(app, key.conversation, one))),
    ),
    lists: await Promise.all(
      users.map((one) => store.conversations.list({ app, user: one, archived: null, limit: 9 })),
    ),
    heads: await Promise.all(users.map(async (one) => inOrder(await store.conversations.heads(app, one, 9)))),
    groups: await store.conversations.groups({ app, limit: 9 }),
    groupsOf: await store.conversations.groups({ app, limit: 9, member: users[0] }),
    peers: await Promise.all(
      users.map(async (one) => (await store.conversations.peers(app, one, 9)).toSorted()),
    ),
    waiting: waiting.filter((one) => one.app === app),
  };
}

/** Random commits, patches, amendments and reads: the store gives the memory store's answers. */
export function describeConversationModel(world: StoreWorld): void {
  it("answers every run of commits, patches, marks and amendments as the memory store does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        const app = world.fresh("app");
        const model = createMemoryStore();

        for (const call of steps) expect(await call(world.store, app)).toEqual(await call(model, app));

        expect(await seen(world.store, app)).toEqual(await seen(model, app));
      }),
      { numRuns: 150 },
    );
  }, 180_000);
}
