import type { ConversationStore, GroupQuery, GroupSummaryRecord } from "@chat21/engine";
import { directMembers } from "@chat21/protocol";
import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { ConversationDocument, ConversationKey } from "./documents.ts";
import { conversationName } from "./key-names.ts";
import { createNamesOfMember } from "./names-of-member.ts";

type Session = mongo.ClientSession;

/** Names that are looked at in one step. */
const stepNames = 5_000;

const projection = { group: 1 } as const;

type Found = Pick<ConversationDocument, "_id" | "group">;

/** Behind every id: they are ASCII. */
const lastName = "\uffff";

/** `ConversationStore.groups`. */
export function createGroups(database: Database): ConversationStore["groups"] {
  const { conversations, members } = database.collections;
  const namesOf = createNamesOfMember(database);
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

  /** Of these conversations, those that the user is in now. */
  async function presentIn(keys: readonly ConversationKey[], user: string, session: Session) {
    const ids = keys.map(({ app, conversation }) => ({ app, conversation, user }));
    const projection = { conversation: 1, intervals: 1 };
    const places = await members.find({ _id: { $in: ids } }, { session, maxTimeMS, projection }).toArray();
    return places
      .filter(({ intervals }) => intervals.at(-1)?.[1] === null)
      .map(({ conversation }) => conversation);
  }

  /** The names of direct conversations cost an entry of an index, and no document. */
  async function ofMember(
    { app, limit, after = "" }: GroupQuery,
    user: string,
    session: Session,
  ): Promise<Found[]> {
    const found: Found[] = [];
    for (let last = after; ; ) {
      const names = await namesOf({ app, user }, { after: last, limit: stepNames }, session);
      const groups = names.filter(({ conversation }) => directMembers(conversation) === null);
      for (const chunk of chunksOf(groups, limit)) {
        const present = await presentIn(chunk, user, session);
        if (present.length > 0) found.push(...(await stored(present, session)));
        if (found.length >= limit) return found.slice(0, limit);
      }
      const end = names.at(-1);
      if (end === undefined || names.length < stepNames) return found;
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
