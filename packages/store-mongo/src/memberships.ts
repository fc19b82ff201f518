import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { AccountKey, ConversationDocument, MemberDocument } from "./documents.ts";
import { lookBack, sweptUpTo } from "./head-sweep.ts";
import { withTrueHeads } from "./heads.ts";
import { listsSweptUpTo, manyConversations } from "./list-places.ts";
import { type Ticks, ticksPerSecond, toTicks, toTimestamp } from "./logical-time.ts";
import { mergeSorted } from "./merge-sorted.ts";

type Session = mongo.ClientSession;

/** A conversation's document as far as lists need it, most recently active first. */
export type Activity = Pick<
  ConversationDocument,
  "_id" | "changedAt" | "head" | "kind" | "lastTimestamp" | "unlistedTo"
>;

/** What changed when. */
export interface Stamped {
  readonly conversation: string;
  readonly changedAt: Ticks;
}

/** Which of the user's conversations; all given facts must hold. */
export interface Which {
  /** Only those that the user has archived, be it that they left the archive since. */
  readonly archivedOnce?: boolean;
  /** A list is asked for: the next ones of a user with many conversations are kept in order. */
  readonly forList?: boolean;
  readonly kind?: ConversationDocument["kind"];
}

/** Part of a user's conversations that an index keeps in the order of lists. */
export type Shelf = "archived" | "never archived" | "returned";

/** A range of places in a list: times, or names at one time. */
export interface ListSpan {
  readonly at: number | { readonly $gt: number; readonly $lt?: number };
  readonly conversation?: { readonly $gt?: string; readonly $lt?: string };
}

/** A walk through one shelf. */
export interface ListWalk {
  readonly archived: boolean | null;
  /** In the order of lists. */
  readonly spans: readonly ListSpan[];
  readonly from: "newest" | "oldest";
  /** So many are mostly taken; the server sends them at once. */
  readonly limit: number;
}

const once = { archivedAt: { $gte: 0 } };

const shelves: Readonly<
  Record<Shelf, { readonly hint: string; readonly where: mongo.Filter<MemberDocument> }>
> = {
  archived: { hint: "once_archived", where: { ...once, "listed.returned": false } },
  "never archived": { hint: "listed", where: { archivedAt: null } },
  returned: { hint: "once_archived", where: { ...once, "listed.returned": true } },
};

/** Conversations that were stamped, of all users, up to so many; beyond, the user's are asked for. */
export const maxRecent = 1_000;

/** Marks that one read looks at: several times what waits under load for a conversation's stamp. */
const maxMarks = 5_000;

/** Places in lists are of use while their sweep is not further behind the one of heads. */
const maxListLag = 60 * ticksPerSecond;

/** Names in one query: a command has 16 MiB at most. */
const namesPerQuery = 50_000;

/** Names of one column: a document has 16 MiB at most. */
const maxColumn = 100_000;

/** Documents that the server sends at once. */
const batchSize = 500;

/** Changes of so long a time are looked for by the index of changes, which holds all users' ones; older ones by name. */
const maxRecentTicks = 60 * 60 * ticksPerSecond;

const light = { kind: 1, head: 1, lastTimestamp: 1, unlistedTo: 1, changedAt: 1 } as const;

const keyOnly = { "_id.app": 1, "_id.conversation": 1 } as const;

const never = toTimestamp(0);

/** Most recently active first, at equal times by name. */
function byActivity(a: Activity, b: Activity): number {
  if (a.lastTimestamp !== b.lastTimestamp) return b.lastTimestamp - a.lastTimestamp;
  return a._id.conversation < b._id.conversation ? -1 : 1;
}

const toStamped = ({ _id, changedAt }: StampedDocument): Stamped => ({
  conversation: _id.conversation,
  changedAt: changedAt === undefined ? 0 : toTicks(changedAt),
});

/** What {@link readStamped} reads. */
interface StampedDocument {
  readonly _id: { readonly app: string; readonly conversation: string };
  readonly changedAt?: mongo.Timestamp;
}

/** By two columns: ten thousand small documents cost this process more than they cost the server. */
async function readStamped<T extends StampedDocument>(
  collection: mongo.Collection<T>,
  where: mongo.Filter<T>,
  options: { readonly session: Session; readonly maxTimeMS: number; readonly hint: string },
): Promise<Stamped[]> {
  const names = { $push: "$_id.conversation" };
  const times = { $push: { $ifNull: ["$changedAt", never] } };
  const stages = [{ $match: where }, { $limit: maxColumn + 1 }, { $group: { _id: null, names, times } }];
  const [columns] = await collection
    .aggregate<{ readonly names: string[]; readonly times: mongo.Timestamp[] }>(stages, options)
    .toArray();
  if (columns === undefined) return [];
  if (columns.names.length <= maxColumn) {
    return columns.names.map((conversation, index) => ({
      conversation,
      changedAt: toTicks(columns.times[index] ?? never),
    }));
  }
  const projection = { "_id.conversation": 1, changedAt: 1 };
  const found: Stamped[] = [];
  const cursor = collection.find(where, { ...options, projection, batchSize: 10_000 });
  for await (const document of cursor) found.push(toStamped(document));
  return found;
}

/** Reads that begin with a user's memberships; all inside the caller's snapshot. */
export type Memberships = ReturnType<typeof createMemberships>;

/** Which conversations a user has, and which of them changed: by index, without a look at a member's document. */
export function createMemberships(database: Database) {
  const { conversations, counters, events, listReaders, members, writers } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  /** Places that were written since a time; without one all. */
  function places(account: AccountKey, since: Ticks | null, session: Session): Promise<Stamped[]> {
    const where = { account, ...(since === null ? {} : { changedAt: { $gt: toTimestamp(since) } }) };
    return readStamped(members, where, { session, maxTimeMS, hint: "places" });
  }

  async function archivedOnce(account: AccountKey, session: Session): Promise<string[]> {
    const where = { account, archivedAt: { $gte: 0 } };
    const found = await readStamped(members, where, { session, maxTimeMS, hint: "places" });
    return found.map(({ conversation }) => conversation);
  }

  async function names(account: AccountKey, session: Session): Promise<string[]> {
    return (await places(account, null, session)).map(({ conversation }) => conversation);
  }

  /** Whoever's, the newest first; at most one more than {@link maxRecent}. */
  async function recent(app: string, since: Ticks, session: Session): Promise<Stamped[]> {
    const found = await conversations
      .find(
        { changedAt: { $gt: toTimestamp(since) }, "_id.app": app },
        {
          session,
          maxTimeMS,
          projection: { "_id.conversation": 1, changedAt: 1 },
          hint: "changed",
          batchSize: 10_000,
        },
      )
      .sort({ changedAt: -1 })
      .limit(maxRecent + 1)
      .toArray();
    return found.map(toStamped);
  }

  /** Of these names, those that were stamped since a time. */
  async function stampedOf(
    app: string,
    of: readonly string[],
    { since, now }: { since: Ticks; now: Ticks },
    session: Session,
  ): Promise<Stamped[]> {
    const hint = now - since < maxRecentTicks ? "changed" : "by_name";
    const time = since <= 0 ? {} : { changedAt: { $gt: toTimestamp(since) } };
    const found: Stamped[] = [];
    for (const chunk of chunksOf(of, namesPerQuery)) {
      const where = { "_id.app": app, "_id.conversation": { $in: chunk }, ...time };
      found.push(...(await readStamped(conversations, where, { session, maxTimeMS, hint })));
    }
    return found;
  }

  /** Keys of events that carry a mark. */
  function withMark(since: Ticks, session: Session) {
    return events
      .find(
        { undispatched: { $gt: toTimestamp(since) } },
        { session, maxTimeMS, projection: keyOnly, hint: "undispatched_of", batchSize: maxMarks },
      )
      .sort({ undispatched: -1 })
      .limit(maxMarks)
      .toArray();
  }

  /** Keys of events behind the cursors of their writers. */
  async function behindCursors(since: Ticks, session: Session) {
    const behind = (await writers.find({}, { session, maxTimeMS, hint: "_id_" }).toArray()).map(
      ({ _id: by, dispatchedTo }) => ({
        by,
        at: { $gt: toTimestamp(Math.max(since, toTicks(dispatchedTo))) },
      }),
    );
    if (behind.length === 0) return [];
    return events
      .find(
        { $or: behind },
        { session, maxTimeMS, projection: keyOnly, hint: "by_writer", batchSize: maxMarks },
      )
      .sort({ at: -1 })
      .limit(maxMarks)
      .toArray();
  }

  /**
   * Names with events that were committed since a time and may not be dispatched yet. The newest events of all apps do: they
   * are of interest for the moment until the conversation's document is stamped.
   */
  async function marked(app: string, since: Ticks, session: Session): Promise<ReadonlySet<string>> {
    const found = await Promise.all([withMark(since, session), behindCursors(since, session)]);
    return new Set(
      found
        .flat()
        .filter(({ _id }) => _id.app === app)
        .map(({ _id }) => _id.conversation),
    );
  }

  /** Up to when documents follow their logs, and members' places in lists. 0 without a sweep. */
  async function sweptTimes(session: Session): Promise<{ readonly heads: Ticks; readonly lists: Ticks }> {
    const where = { _id: { $in: [sweptUpTo, listsSweptUpTo] } };
    const found = await counters.find(where, { session, maxTimeMS, hint: "_id_" }).toArray();
    const times = new Map(found.map(({ _id, value }) => [_id, value]));
    return { heads: times.get(sweptUpTo) ?? 0, lists: times.get(listsSweptUpTo) ?? 0 };
  }

  /**
   * Of the user's conversations, those for which nothing that was written up to `swept` speaks. `all` are the names of the
   * conversations, where they are known.
   */
  async function mayLag(
    account: AccountKey,
    { swept, all }: { readonly swept: Ticks; readonly all: ReadonlySet<string> | null },
    session: Session,
  ): Promise<string[]> {
    const { app } = account;
    const since = swept - lookBack;
    const [fresh, waiting] = await Promise.all([recent(app, since, session), marked(app, since, session)]);
    if (fresh.length <= maxRecent) {
      const found = new Set([...waiting, ...fresh.map(({ conversation }) => conversation)]);
      const own = all ?? (await mine(account, [...found], session));
      return [...found].filter((conversation) => own.has(conversation));
    }
    const of = all ?? new Set(await names(account, session));
    const stamped = await stampedOf(app, [...of], { since, now: since }, session);
    const found = new Set([...waiting, ...stamped.map(({ conversation }) => conversation)]);
    return [...found].filter((conversation) => of.has(conversation));
  }

  /** The sweep gives the user's conversations their places. Where it cannot be written now, the next list asks again. */
  async function keepInOrder({ app, user }: AccountKey): Promise<void> {
    await listReaders
      .updateOne({ _id: { app, user } }, { $setOnInsert: { placed: false } }, { upsert: true })
      .catch(() => {});
  }

  /** Names of conversations that have no place in the user's lists. */
  async function unplaced(
    account: AccountKey,
    archived: boolean | null,
    session: Session,
  ): Promise<string[]> {
    const options = { session, maxTimeMS };
    const once = { account, archivedAt: { $gte: 0 }, "listed.returned": null };
    const never = { account, archivedAt: null, "listed.at": null };
    const found = await Promise.all([
      readStamped(members, once, { ...options, hint: "once_archived" }),
      archived === true ? [] : readStamped(members, never, { ...options, hint: "listed" }),
    ]);
    return found.flat().map(({ conversation }) => conversation);
  }

  /** Most recently active first, with true heads. The server sorts those that do not lag, and sends what is taken. */
  async function* inActivityOrder(
    app: string,
    { lagging, settled }: { readonly lagging: readonly string[]; readonly settled: readonly string[] },
    kind: ConversationDocument["kind"] | undefined,
    session: Session,
  ): AsyncGenerator<Activity> {
    const moved = [...(await activities(app, lagging, session)).values()].sort(byActivity);
    const which = kind === undefined ? {} : { kind };
    yield* mergeSorted(
      [
        moved.filter((document) => kind === undefined || document.kind === kind),
        ...chunksOf(settled, namesPerQuery).map((chunk) => inOrder(app, chunk, which, session)),
      ],
      byActivity,
    );
  }

  /** Of these names, those in which the user has, or had, a place. */
  async function mine(
    { app, user }: AccountKey,
    of: readonly string[],
    session: Session,
  ): Promise<Set<string>> {
    const ids = of.map((conversation) => ({ app, conversation, user }));
    if (ids.length === 0) return new Set();
    const found = await members
      .find({ _id: { $in: ids } }, { session, maxTimeMS, projection: { _id: 1 } })
      .toArray();
    return new Set(found.map(({ _id }) => _id.conversation));
  }

  /** Documents with true heads, by name. */
  async function activities(
    app: string,
    of: readonly string[],
    session: Session,
  ): Promise<ReadonlyMap<string, Activity>> {
    if (of.length === 0) return new Map();
    const found = await conversations
      .find(
        { "_id.app": app, "_id.conversation": { $in: [...of] } },
        { session, maxTimeMS, projection: light, hint: "by_name", batchSize: maxRecent },
      )
      .toArray();
    const current = await withTrueHeads(database, found, session);
    return new Map(current.map((document) => [document._id.conversation, document]));
  }

  async function* inOrder(
    app: string,
    of: readonly string[],
    which: mongo.Filter<ConversationDocument>,
    session: Session,
  ): AsyncGenerator<Activity> {
    const cursor = conversations
      .find(
        { "_id.app": app, "_id.conversation": { $in: [...of] }, ...which },
        { session, maxTimeMS, projection: light, hint: "by_name", batchSize },
      )
      .sort({ lastTimestamp: -1, "_id.conversation": 1 });
    yield* database.walk(cursor);
  }

  return {
    activities,
    marked,
    names,
    places,
    recent,
    stampedOf,
    mine,
    /** The user's conversations, most recently active first, with true heads. */
    async *byActivity(
      account: AccountKey,
      { archivedOnce: isArchivedOnly, forList, kind }: Which,
      session: Session,
    ): AsyncGenerator<Activity> {
      const all = await (isArchivedOnly === true ? archivedOnce : names)(account, session);
      if (all.length === 0) return;
      if (forList === true && all.length > manyConversations) await keepInOrder(account);
      const { heads } = await sweptTimes(session);
      const lagging = new Set(await mayLag(account, { swept: heads, all: new Set(all) }, session));
      const settled = all.filter((conversation) => !lagging.has(conversation));
      yield* inActivityOrder(account.app, { lagging: [...lagging], settled }, kind, session);
    },
    /**
     * The conversations that a list must look up, because no place of theirs can be trusted. All others have exact
     * places. `null`: no place can be trusted yet.
     */
    async toLookUp(
      account: AccountKey,
      archived: boolean | null,
      session: Session,
    ): Promise<{ readonly lagging: readonly string[]; readonly settled: readonly string[] } | null> {
      const { app, user } = account;
      const reader = await listReaders.findOne({ _id: { app, user } }, { session, maxTimeMS });
      if (reader?.placed !== true) return null;
      const { heads, lists } = await sweptTimes(session);
      if (lists < heads - maxListLag) return null;
      const [lagging, open] = await Promise.all([
        mayLag(account, { swept: Math.min(heads, lists), all: null }, session),
        unplaced(account, archived, session),
      ]);
      const known = new Set(lagging);
      return { lagging, settled: open.filter((conversation) => !known.has(conversation)) };
    },
    inActivityOrder,
    /** The user's own documents that a list may show, by exact places; in the order of lists, or against it. */
    async *inListOrder(
      account: AccountKey,
      shelf: Shelf,
      { spans, archived, from, limit }: ListWalk,
      session: Session,
    ): AsyncGenerator<MemberDocument> {
      const isNewest = from === "newest";
      const sort = isNewest
        ? ({ "listed.at": -1, "_id.conversation": 1 } as const)
        : ({ "listed.at": 1, "_id.conversation": -1 } as const);
      const isOnList = { $gt: ["$listed.seq", "$clearedAt"] };
      const isArchived = { $lte: ["$listed.seq", "$archivedAt"] };
      const shown = { $expr: { $and: archived === true ? [isOnList, isArchived] : [isOnList] } };
      for (const { at, conversation } of isNewest ? spans : spans.toReversed()) {
        const name = conversation === undefined ? {} : { "_id.conversation": conversation };
        const where = { account, ...shelves[shelf].where, "listed.at": at, ...name, ...shown };
        const { hint } = shelves[shelf];
        const options = { session, maxTimeMS, hint, batchSize: limit };
        yield* database.walk(members.find(where, options).sort(sort));
      }
    },
    /** The user's own documents in these conversations, by name. */
    async seated(
      { app, user }: AccountKey,
      of: readonly string[],
      session: Session,
    ): Promise<ReadonlyMap<string, MemberDocument>> {
      const ids = of.map((conversation) => ({ app, conversation, user }));
      if (ids.length === 0) return new Map();
      const found = await members
        .find({ _id: { $in: ids } }, { session, maxTimeMS, batchSize: maxRecent })
        .toArray();
      return new Map(found.map((member) => [member._id.conversation, member]));
    },
  };
}
