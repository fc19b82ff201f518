import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { AccountKey } from "./documents.ts";
import { type Ticks, ticksPerSecond, toTicks, toTimestamp } from "./logical-time.ts";

type Session = mongo.ClientSession;

/** A conversation, and when it changed. */
export interface Stamped {
  readonly conversation: string;
  readonly changedAt: Ticks;
}

/** Conversations that were stamped, of all users, up to so many; beyond, the user's are asked for. */
export const maxRecent = 1_000;

/** Marks that one read looks at: several times what waits under load for a conversation's stamp. */
const maxMarks = 5_000;

/** Names in one query: a command has 16 MiB at most. */
export const namesPerQuery = 50_000;

/** Names of one column: a document has 16 MiB at most. */
const maxColumn = 100_000;

/** Changes of so long a time are looked for by the index of changes, which holds all users' ones; older ones by name. */
const maxRecentTicks = 60 * 60 * ticksPerSecond;

const keyOnly = { "_id.app": 1, "_id.conversation": 1 } as const;

const never = toTimestamp(0);

const toStamped = ({ _id, changedAt }: StampedDocument): Stamped => ({
  conversation: _id.conversation,
  changedAt: changedAt === undefined ? 0 : toTicks(changedAt),
});

/** The part of a document that {@link readStamped} reads. */
interface StampedDocument {
  readonly _id: { readonly app: string; readonly conversation: string };
  readonly changedAt?: mongo.Timestamp;
}

/** By two columns: ten thousand small documents cost this process more than they cost the server. */
export async function readStamped<T extends StampedDocument>(
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

/**
 * Changes and their times: of a user's places, of conversations, and of events without a stamp. Indexes alone are read.
 * ADR 0013.
 */
export function createStamps(database: Database) {
  const { conversations, events, members, writers } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  /** Places that were written since a time; without one all. */
  function places(account: AccountKey, since: Ticks | null, session: Session): Promise<Stamped[]> {
    const where = { account, ...(since === null ? {} : { changedAt: { $gt: toTimestamp(since) } }) };
    return readStamped(members, where, { session, maxTimeMS, hint: "places" });
  }

  /** Conversations of all users, the newest change first; at most one more than {@link maxRecent}. */
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

  return { marked, places, recent, stampedOf };
}
