import type { mongo } from "mongoose";
import { type Activity, createActivityReads } from "./activity.ts";
import type { Database } from "./database.ts";
import type { AccountKey, MemberDocument } from "./documents.ts";
import { lookBack, sweptUpTo } from "./head-sweep.ts";
import { listsSweptUpTo, manyConversations } from "./list-places.ts";
import { createShelfWalk } from "./list-shelves.ts";
import { type Ticks, ticksPerSecond } from "./logical-time.ts";
import { createStamps, maxRecent, readStamped } from "./stamps.ts";

type Session = mongo.ClientSession;

/** Which of the user's conversations; all given facts must hold. */
export interface Which {
  /** Only those that the user has archived, be it that they left the archive since. */
  readonly archivedOnce?: boolean;
  /** A list is asked for: the next ones of a user with many conversations are kept in order. */
  readonly forList?: boolean;
}

/** Places in lists are of use while their sweep is not further behind the one of heads. */
const maxListLag = 60 * ticksPerSecond;

/** Reads that begin with a user's memberships; all inside the caller's snapshot. */
export type Memberships = ReturnType<typeof createMemberships>;

/** Which conversations a user has, and which of them lists must look up: by index, without a look at a member's document. */
export function createMemberships(database: Database) {
  const { counters, listReaders, members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;
  const stamps = createStamps(database);
  const { marked, places, recent, stampedOf } = stamps;
  const { activities, inActivityOrder } = createActivityReads(database);

  async function archivedOnce(account: AccountKey, session: Session): Promise<string[]> {
    const where = { account, archivedAt: { $gte: 0 } };
    const found = await readStamped(members, where, { session, maxTimeMS, hint: "places" });
    return found.map(({ conversation }) => conversation);
  }

  async function names(account: AccountKey, session: Session): Promise<string[]> {
    return (await places(account, null, session)).map(({ conversation }) => conversation);
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

  return {
    ...stamps,
    activities,
    inActivityOrder,
    inListOrder: createShelfWalk(database),
    mine,
    names,
    /** The user's conversations, most recently active first, with true heads. */
    async *byActivity(
      account: AccountKey,
      { archivedOnce: isArchivedOnly, forList }: Which,
      session: Session,
    ): AsyncGenerator<Activity> {
      const all = await (isArchivedOnly === true ? archivedOnce : names)(account, session);
      if (all.length === 0) return;
      if (forList === true && all.length > manyConversations) await keepInOrder(account);
      const { heads } = await sweptTimes(session);
      const lagging = new Set(await mayLag(account, { swept: heads, all: new Set(all) }, session));
      const settled = all.filter((conversation) => !lagging.has(conversation));
      yield* inActivityOrder(account.app, { lagging: [...lagging], settled }, session);
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
