import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { AccountKey, MemberDocument } from "./documents.ts";

type Session = mongo.ClientSession;

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

/** A walk through the places of a user, which indexes keep in the order of lists: ADR 0019. */
export function createShelfWalk(database: Database) {
  const { members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  /** The user's own documents that a list may show, by exact places; in the order of lists, or against it. */
  return async function* inListOrder(
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
  };
}
