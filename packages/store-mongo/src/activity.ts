import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { ConversationDocument } from "./documents.ts";
import { withTrueHeads } from "./heads.ts";
import { mergeSorted } from "./merge-sorted.ts";
import { maxRecent, namesPerQuery } from "./stamps.ts";

type Session = mongo.ClientSession;

/** A conversation's document as far as lists need it, most recently active first. */
export type Activity = Pick<
  ConversationDocument,
  "_id" | "changedAt" | "head" | "kind" | "lastTimestamp" | "unlistedTo"
>;

/** Documents that the server sends at once. */
const batchSize = 500;

const light = { kind: 1, head: 1, lastTimestamp: 1, unlistedTo: 1, changedAt: 1 } as const;

/** Most recently active first, at equal times by name. */
function byActivity(a: Activity, b: Activity): number {
  if (a.lastTimestamp !== b.lastTimestamp) return b.lastTimestamp - a.lastTimestamp;
  return a._id.conversation < b._id.conversation ? -1 : 1;
}

/** When conversations were last active: their documents, with true heads, by name and in order. */
export function createActivityReads(database: Database) {
  const { conversations } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  /** Most recently active first, with true heads. The server sorts those that do not lag, and sends what is taken. */
  async function* inActivityOrder(
    app: string,
    { lagging, settled }: { readonly lagging: readonly string[]; readonly settled: readonly string[] },
    session: Session,
  ): AsyncGenerator<Activity> {
    const moved = [...(await activities(app, lagging, session)).values()].sort(byActivity);
    yield* mergeSorted(
      [moved, ...chunksOf(settled, namesPerQuery).map((chunk) => inOrder(app, chunk, session))],
      byActivity,
    );
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

  async function* inOrder(app: string, of: readonly string[], session: Session): AsyncGenerator<Activity> {
    const cursor = conversations
      .find(
        { "_id.app": app, "_id.conversation": { $in: [...of] } },
        { session, maxTimeMS, projection: light, hint: "by_name", batchSize },
      )
      .sort({ lastTimestamp: -1, "_id.conversation": 1 });
    yield* database.walk(cursor);
  }

  return { activities, inActivityOrder };
}
