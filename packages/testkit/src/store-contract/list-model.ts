import type { ConversationQuery, ConversationView, ListBound, MemberPatch, Run, Store } from "@chat21/engine";
import { isArchived, isOnList } from "@chat21/engine";
import { compareListed } from "@chat21/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type RunOptions, sampleErasures, sampleMembers, sampleRun, sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

const people = (count: number) => ["ann", ...Array.from({ length: count - 1 }, (_, index) => `m-${index}`)];

/** Groups by their members; other conversations are direct. */
const groups: ReadonlyMap<string, readonly string[]> = new Map([
  ["group-few", people(3)],
  ["group-many", people(60)],
]);

const patch = fc.constantFrom<Omit<MemberPatch, "app" | "conversation" | "user">>(
  {},
  {},
  {},
  { archivedAt: 2 },
  { archivedAt: 9 },
  { archivedAt: null },
  { clearedAt: 1 },
);

/** Few different times for many conversations, so that most of them share one. */
const item = fc.record({
  name: fc.constantFrom(
    "ann.a",
    "ann.b",
    "ann.b-c",
    "ann.d",
    "Zoe.ann",
    "ann.z",
    "ann.~",
    "_a.ann",
    "ann.ann",
    ...groups.keys(),
  ),
  minutes: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }),
  /** The last event is not listed, hidden for ann, or plain. */
  last: fc.constantFrom({}, {}, {}, { listed: false }, { hiddenFor: "ann" }),
  patch,
  /** What happens later: nothing, a message, an erasure of the first or the last one, or ann leaves, where it is a group. */
  later: fc.constantFrom("nothing", "nothing", "message", "unlisted", "erasure", "all erased", "leaving"),
  laterPatch: patch,
});

const log = fc.uniqueArray(item, { minLength: 1, maxLength: 11, selector: ({ name }) => name });

type Item = typeof item extends fc.Arbitrary<infer One> ? One : never;

const lengthOf = ({ minutes }: Item) => new Set(minutes).size;

async function write(store: Store, app: string, items: readonly Item[]): Promise<void> {
  const results = await store.events.commit(
    items.map(({ name, minutes, last }) => {
      const times = [...new Set(minutes)].toSorted((a, b) => a - b);
      const events = times.map((time, index) => ({
        ...(index === times.length - 1 ? last : {}),
        timestamp: sampleTime + time,
      }));
      const users = groups.get(name);
      return sampleRun(app, name, {
        events,
        ...(users === undefined ? {} : { members: sampleMembers(users) }),
      });
    }),
  );
  expect(results.filter(({ status }) => status !== "committed")).toEqual([]);
  await store.conversations.patch(
    items.map(({ name, patch }) => ({ app, conversation: name, user: "ann", ...patch })),
  );
}

function laterRun(app: string, item: Item): Run[] {
  const { name, later } = item;
  const expectedHead = lengthOf(item);
  const run = (options: RunOptions) => [sampleRun(app, name, { expectedHead, ...options })];
  const each = { timestamp: sampleTime + 4 };
  const unlisted = { ...each, listed: false, type: "erased" } as const;
  const seqs = later === "erasure" ? [expectedHead] : Array.from({ length: expectedHead }, (_, at) => at + 1);
  switch (later) {
    case "message":
      return run({ each });
    case "unlisted":
      return run({ each: { ...each, listed: false } });
    case "erasure":
    case "all erased":
      return run({ each: unlisted, amendments: sampleErasures(expectedHead + 1, ...seqs) });
    case "leaving":
      return groups.has(name) ? run({ each, members: sampleMembers(["ann"], [[1, 1]]) }) : [];
    default:
      return [];
  }
}

async function writeLater(store: Store, app: string, items: readonly Item[]): Promise<void> {
  const results = await store.events.commit(items.flatMap((item) => laterRun(app, item)));
  expect(results.filter(({ status }) => status !== "committed")).toEqual([]);
  await store.conversations.patch(
    items.map(({ name, laterPatch }) => ({ app, conversation: name, user: "ann", ...laterPatch })),
  );
}

function placeOf({ last, conversation }: ConversationView): ListBound & { readonly conversation: string } {
  return { timestamp: last?.timestamp ?? 0, conversation };
}

/** Every page of a walk, from one end to the other; `nextLimit` gives the length of each page. */
async function walk(
  page: (
    query: Pick<ConversationQuery, "limit" | "before" | "after">,
  ) => Promise<readonly ConversationView[]>,
  direction: "before" | "after",
  nextLimit: () => number,
): Promise<ConversationView[]> {
  const all: ConversationView[] = [];
  for (let bound: ListBound | undefined; ; ) {
    const limit = nextLimit();
    const views = await page({ limit, ...(bound === undefined ? {} : { [direction]: bound }) });
    if (direction === "before") all.push(...views);
    else all.unshift(...views);
    const edge = direction === "before" ? views.at(-1) : views[0];
    if (edge === undefined) return all;
    bound = placeOf(edge);
  }
}

/** Pages of lists on random logs. */
export function describeListModel(world: StoreWorld): void {
  it("reaches each listed conversation once, in the order of lists, by pages of any length in both directions, soon after a change and long after it", async () => {
    const limits = fc.infiniteStream(fc.integer({ min: 1, max: 4 }));
    await fc.assert(
      fc.asyncProperty(log, limits, fc.constantFrom(null, true, false), async (items, lengths, archived) => {
        const app = world.fresh("app");
        const list = (from: "newest" | "oldest") => (query: Pick<ConversationQuery, "limit">) =>
          world.store.conversations.list({ app, user: "ann", archived, from, ...query });
        const nextLimit = () => lengths.next().value as number;
        const expectRightLists = async () => {
          const views = await Promise.all(
            items.map(({ name }) => world.store.conversations.view(app, name, "ann")),
          );
          const expected = views
            .filter((view) => view !== null)
            .filter((view) => isOnList(view) && (archived === null || isArchived(view) === archived))
            .toSorted((a, b) => compareListed(placeOf(a), placeOf(b)));
          expect(await walk(list("newest"), "before", nextLimit)).toEqual(expected);
          expect(await walk(list("oldest"), "after", nextLimit)).toEqual(expected);
        };

        await write(world.store, app, items);
        await expectRightLists();
        await world.age(app);
        await expectRightLists();
        await writeLater(world.store, app, items);
        await expectRightLists();
        await world.age(app);
        await expectRightLists();
      }),
      { numRuns: 20 },
    );
  }, 300_000);
}
