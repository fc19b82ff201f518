import type { Changes, ConversationView, EventRecord, MemberRecord, Run, Store } from "@chat21/engine";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sampleRun, sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

const users = ["ann", "bob", "cid"] as const;
const conversations = ["ann.bob", "ann.ann", "ann.cid", "group-1", "group-2"] as const;

/** A client of one user, and the events that it has gathered from pages. */
class Client {
  readonly views = new Map<string, ConversationView>();
  readonly #events = new Map<string, Map<number, EventRecord>>();
  /** For each conversation the numbers that, by a page, lie below the held ones. */
  readonly #gaps = new Map<string, number>();
  cursor: string | undefined;

  take({ conversations: changed, cursor }: Changes): void {
    for (const { view, events, from, behind } of changed) {
      const name = view.conversation;
      const known = this.#events.get(name) ?? new Map<number, EventRecord>();
      for (const event of events) known.set(event.seq, event);
      this.#events.set(name, known);
      this.views.set(name, view);
      if (behind) this.#gaps.set(name, Math.max(from, this.#gaps.get(name) ?? 0));
    }
    this.cursor = cursor;
  }

  /** Whether the client holds the event, or was told that it may lack it. */
  accountsFor({ conversation, seq }: EventRecord): boolean {
    return this.#events.get(conversation)?.has(seq) === true || seq < (this.#gaps.get(conversation) ?? 0);
  }
}

interface World {
  readonly store: Store;
  readonly app: string;
  readonly clients: ReadonlyMap<string, Client>;
}

type Step = (world: World) => Promise<void>;

const conversation = fc.constantFrom(...conversations);
const user = fc.constantFrom(...users);

/** A member who joins, with some numbers before, or leaves with the run's last event. */
function moved(
  members: readonly MemberRecord[],
  who: string,
  replay: number,
  head: number,
  end: number,
): MemberRecord {
  const known = members.find((member) => member.user === who);
  const intervals = known?.intervals ?? [];
  const last = intervals.at(-1);
  if (last !== undefined && last[1] === null) {
    return { user: who, role: "member", intervals: [...intervals.slice(0, -1), [last[0], end]] };
  }
  const from = Math.max(1 + (last?.[1] ?? 0), head + 1 - replay);
  return { user: who, role: "member", intervals: [...intervals, [from, null]] };
}

const commit = fc
  .record({
    name: conversation,
    count: fc.integer({ min: 1, max: 3 }),
    sender: fc.constantFrom(...users, "system"),
    hiddenFor: fc.constantFrom(null, null, null, ...users),
    mover: fc.option(user),
    replay: fc.integer({ min: 0, max: 4 }),
    amended: fc.option(fc.integer({ min: 1, max: 9 })),
    erases: fc.boolean(),
  })
  .map<Step>(
    ({ name, count, sender, hiddenFor, mover, replay, amended, erases }) =>
      async ({ store, app }) => {
        const [found] = await store.conversations.load([{ app, conversation: name }]);
        const { head = 0, lastTimestamp = sampleTime } = found ?? {};
        const end = head + count;
        const events = Array.from({ length: count }, (_, index) => ({
          ...{ sender, hiddenFor, clientMessageId: null, timestamp: lastTimestamp + index + 1 },
        }));
        const isGroup = name.startsWith("group");
        const members =
          isGroup && mover !== null ? [moved(found?.members ?? [], mover, replay, head, end)] : undefined;
        const overlay = `{"version":${end}}`;
        const run: Run = {
          ...sampleRun(app, name, {
            expectedHead: head,
            events,
            ...(members === undefined ? {} : { members }),
          }),
          ...(amended === null || amended > end ? {} : { amendments: [{ seq: amended, overlay, erases }] }),
        };
        expect(await store.events.commit([run])).toMatchObject([{ status: "committed" }]);
      },
  );

const patch = fc
  .record(
    {
      delivered: fc.integer({ min: 0, max: 9 }),
      read: fc.integer({ min: 0, max: 9 }),
      archivedAt: fc.option(fc.integer({ min: 0, max: 9 })),
      markedUnread: fc.boolean(),
      clearedAt: fc.integer({ min: 0, max: 9 }),
    },
    { requiredKeys: [] },
  )
  .chain((fields) =>
    fc.tuple(conversation, user).map<Step>(([name, who]) => async ({ store, app }) => {
      await store.conversations.patch([{ app, conversation: name, user: who, ...fields }]);
    }),
  );

/** One page, with any action behind it: the next page may come much later. */
const page = fc
  .record({
    who: user,
    limit: fc.integer({ min: 1, max: 3 }),
    eventsEach: fc.integer({ min: 0, max: 4 }),
    characters: fc.constantFrom(1, 60, 200, 1e6),
  })
  .map<Step>(({ who, ...limits }) => async ({ store, app, clients }) => {
    const client = clients.get(who) as Client;
    const changes = await changesOf(store, app, who, client, limits);
    expect(changes.conversations.length).toBeLessThanOrEqual(limits.limit);
    client.take(changes);
  });

function changesOf(
  store: Store,
  app: string,
  who: string,
  { cursor }: Client,
  limits: { readonly limit: number; readonly eventsEach: number; readonly characters: number },
): Promise<Changes> {
  return store.conversations.changes({
    app,
    user: who,
    ...limits,
    ...(cursor === undefined ? {} : { cursor }),
  });
}

async function checkClient({ store, app, clients }: World, who: string): Promise<void> {
  const client = clients.get(who) as Client;
  for (let more = true, pages = 0; more; pages += 1) {
    expect(pages).toBeLessThan(100);
    const changes = await changesOf(store, app, who, client, { limit: 2, eventsEach: 50, characters: 1e6 });
    client.take(changes);
    more = changes.more;
  }
  expect(
    (await changesOf(store, app, who, client, { limit: 9, eventsEach: 9, characters: 1e6 })).conversations,
  ).toEqual([]);
  const records = await store.conversations.load(conversations.map((name) => ({ app, conversation: name })));
  for (const record of records) {
    const member = record?.members.find((one) => one.user === who);
    if (record === null || record === undefined || member === undefined) continue;
    const name = record.conversation;
    const view = await store.conversations.view(app, name, who);
    const known = client.views.get(name);
    // A user who left is not told how later events amend the messages that are still in sight.
    if (member.intervals.at(-1)?.[1] === null) expect(known).toEqual(view);
    else expect([known?.head, known?.state]).toEqual([view?.head, view?.state]);
    const visible = await store.events.read({
      ...{ app, conversation: name, visibleTo: who, limit: 1_000, from: "oldest" },
    });
    expect(visible.filter((event) => !client.accountsFor(event))).toEqual([]);
  }
}

/** Clients that follow random writes by pages of random length. */
export function describeChangeModel(world: StoreWorld): void {
  it("tells clients that take pages now and then of all that they may see, whatever is written meanwhile", async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: commit },
      { weight: 2, arbitrary: patch },
      { weight: 4, arbitrary: page },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const clients = new Map(users.map((who) => [who as string, new Client()]));
        const scene: World = { store: world.store, app: world.fresh("app"), clients };

        for (const act of steps) await act(scene);

        for (const who of users) await checkClient(scene, who);
      }),
      { numRuns: 60 },
    );
  }, 180_000);
}
