import type { ConversationQuery, ConversationView, ListBound, Store } from "@chat21/engine";
import { isArchived, isOnList } from "@chat21/engine";
import { compareListed } from "@chat21/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sampleRun, sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

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
  ),
  minutes: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }),
  /** The last event is not listed, hidden for ann, or plain. */
  last: fc.constantFrom({}, {}, {}, { listed: false }, { hiddenFor: "ann" }),
  patch: fc.constantFrom({}, {}, {}, { archivedAt: 2 }, { clearedAt: 1 }),
});

const log = fc.uniqueArray(item, { minLength: 1, maxLength: 9, selector: ({ name }) => name });

type Item = typeof item extends fc.Arbitrary<infer One> ? One : never;

async function write(store: Store, app: string, items: readonly Item[]): Promise<void> {
  await store.events.commit(
    items.map(({ name, minutes, last }) => {
      const times = [...new Set(minutes)].toSorted((a, b) => a - b);
      const events = times.map((time, index) => ({
        ...(index === times.length - 1 ? last : {}),
        timestamp: sampleTime + time,
      }));
      return sampleRun(app, name, { events });
    }),
  );
  await store.conversations.patch(
    items.map(({ name, patch }) => ({ app, conversation: name, user: "ann", ...patch })),
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
  it("reaches each listed conversation once, in the order of lists, by pages of any length in both directions", async () => {
    const limits = fc.infiniteStream(fc.integer({ min: 1, max: 4 }));
    await fc.assert(
      fc.asyncProperty(log, limits, fc.constantFrom(null, true, false), async (items, lengths, archived) => {
        const app = world.fresh("app");
        await write(world.store, app, items);
        const views = await Promise.all(
          items.map(({ name }) => world.store.conversations.view(app, name, "ann")),
        );
        const expected = views
          .filter((view) => view !== null)
          .filter((view) => isOnList(view) && (archived === null || isArchived(view) === archived))
          .toSorted((a, b) => compareListed(placeOf(a), placeOf(b)));

        const list = (from: "newest" | "oldest") => (query: Pick<ConversationQuery, "limit">) =>
          world.store.conversations.list({ app, user: "ann", archived, from, ...query });
        const nextLimit = () => lengths.next().value as number;

        expect(await walk(list("newest"), "before", nextLimit)).toEqual(expected);
        expect(await walk(list("oldest"), "after", nextLimit)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  }, 180_000);
}
