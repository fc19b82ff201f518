import type { ConversationStore, GroupQuery } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { ConversationKey } from "./documents.ts";

type Session = mongo.ClientSession;

/** Places that are looked at in one step. */
const stepPlaces = 1_000;

/** Behind every id: they are ASCII. */
const lastName = "\uffff";

/** `ConversationStore.groups`. */
export function createGroups(database: Database): ConversationStore["groups"] {
  const { conversations, members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  async function ofApp({ app, after = "", limit }: GroupQuery, session: Session): Promise<string[]> {
    const between = { $gt: { app, conversation: after }, $lt: { app, conversation: lastName } };
    const found = await conversations
      .find({ _id: between, group: { $ne: null } }, { session, maxTimeMS, projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id }) => _id.conversation);
  }

  async function stored(keys: readonly ConversationKey[], session: Session): Promise<string[]> {
    const found = await conversations
      .find({ _id: { $in: keys }, group: { $ne: null } }, { session, maxTimeMS, projection: { _id: 1 } })
      .sort({ _id: 1 })
      .toArray();
    return found.map(({ _id }) => _id.conversation);
  }

  /** By the index `account`, which holds a user's conversations by name. */
  async function ofMember(
    { app, limit, after = "" }: GroupQuery,
    user: string,
    session: Session,
  ): Promise<string[]> {
    const groups: string[] = [];
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

  return (query) =>
    database.call(() =>
      database.snapshot((session) =>
        query.member === undefined ? ofApp(query, session) : ofMember(query, query.member, session),
      ),
    );
}
