import type { ConversationStore, GroupQuery, GroupSummaryRecord } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { ConversationDocument, ConversationKey } from "./documents.ts";
import { conversationName } from "./key-names.ts";

type Session = mongo.ClientSession;

/** Places that are looked at in one step. */
const stepPlaces = 1_000;

const projection = { group: 1 } as const;

type Found = Pick<ConversationDocument, "_id" | "group">;

/** Behind every id: they are ASCII. */
const lastName = "\uffff";

/** `ConversationStore.groups`. */
export function createGroups(database: Database): ConversationStore["groups"] {
  const { conversations, members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  async function ofApp({ app, after = "", limit }: GroupQuery, session: Session): Promise<Found[]> {
    const between = { $gt: { app, conversation: after }, $lt: { app, conversation: lastName } };
    return conversations
      .find({ _id: between, group: { $ne: null } }, { session, maxTimeMS, projection })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
  }

  async function stored(keys: readonly ConversationKey[], session: Session): Promise<Found[]> {
    return conversations
      .find({ _id: { $in: keys }, group: { $ne: null } }, { session, maxTimeMS, projection })
      .sort({ _id: 1 })
      .toArray();
  }

  /** By the index `account`, which holds a user's conversations by name. */
  async function ofMember(
    { app, limit, after = "" }: GroupQuery,
    user: string,
    session: Session,
  ): Promise<Found[]> {
    const groups: Found[] = [];
    for (let last: ConversationKey = { app, conversation: after }; ; ) {
      const places = await members
        .find(
          { account: { app, user }, conversation: { $gt: last } },
          { session, maxTimeMS, projection: { conversation: 1, intervals: 1 }, hint: "account" },
        )
        .sort({ conversation: 1 })
        .limit(stepPlaces)
        .toArray();
      const present = places.filter(({ intervals }) => intervals.at(-1)?.[1] === null);
      groups.push(
        ...(await stored(
          present.map(({ conversation }) => conversation),
          session,
        )),
      );
      const end = places.at(-1);
      if (end === undefined || places.length < stepPlaces || groups.length >= limit)
        return groups.slice(0, limit);
      last = end.conversation;
    }
  }

  /** Present members by `app\nconversation`: the last interval of each has no end. */
  async function countPresent(found: readonly Found[], session: Session): Promise<Map<string, number>> {
    const isPresent = {
      $and: [
        { $gt: [{ $size: "$intervals" }, 0] },
        { $eq: [{ $arrayElemAt: [{ $arrayElemAt: ["$intervals", -1] }, 1] }, null] },
      ],
    };
    const counted = members.aggregate<{ readonly _id: ConversationKey; readonly count: number }>(
      [
        { $match: { conversation: { $in: found.map(({ _id }) => _id) }, $expr: isPresent } },
        { $group: { _id: "$conversation", count: { $sum: 1 } } },
      ],
      { session, maxTimeMS },
    );
    return new Map((await counted.toArray()).map(({ _id, count }) => [conversationName(_id), count]));
  }

  async function summaries(query: GroupQuery, session: Session): Promise<GroupSummaryRecord[]> {
    const found =
      query.member === undefined ? await ofApp(query, session) : await ofMember(query, query.member, session);
    if (found.length === 0) return [];
    const counts = await countPresent(found, session);
    return found.flatMap(({ _id, group }) =>
      group === null ? [] : { ..._id, group, memberCount: counts.get(conversationName(_id)) ?? 0 },
    );
  }

  return (query) => database.call(() => database.snapshot((session) => summaries(query, session)));
}
