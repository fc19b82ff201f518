import type { ConversationStore } from "@chat21/engine";
import { directConversationId } from "@chat21/protocol";
import type { mongo } from "mongoose";
import type { ConversationReads } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import type { AccountKey, ConversationKey } from "./documents.ts";
import { conversationName } from "./key-names.ts";
import { createNamesOfMember } from "./names-of-member.ts";

type Session = mongo.ClientSession;

/** `ConversationStore.peers`. */
export function createPeers(database: Database, reads: ConversationReads): ConversationStore["peers"] {
  const { conversations } = database.collections;
  const namesOf = createNamesOfMember(database);
  const maxTimeMS = database.queryTimeoutMs;

  /** The others of these conversations, in their order. */
  async function othersIn(keys: readonly ConversationKey[], user: string, session: Session) {
    const seated = await reads.members(keys, session);
    return keys.flatMap(({ app, conversation }) => {
      const users = (seated.get(conversationName({ app, conversation })) ?? []).map(
        ({ account }) => account.user,
      );
      return users.filter((other) => other !== user);
    });
  }

  async function directOf(keys: readonly ConversationKey[], session: Session) {
    const found = await conversations
      .find({ _id: { $in: keys }, kind: "direct" }, { session, maxTimeMS, projection: { _id: 1 } })
      .sort({ _id: 1 })
      .toArray();
    return found.map(({ _id }) => _id);
  }

  async function behind(account: AccountKey, last: string, limit: number, session: Session) {
    const peers: string[] = [];
    for (let after = last; ; ) {
      const keys = await namesOf(account, { after, limit }, session);
      peers.push(...(await othersIn(await directOf(keys, session), account.user, session)));
      const end = keys.at(-1);
      if (end === undefined || keys.length < limit || peers.length >= limit) return peers.slice(0, limit);
      after = end.conversation;
    }
  }

  return (app, user, limit, after) =>
    database.call(() =>
      database.snapshot((session) => {
        const last = after === undefined ? "" : directConversationId(user, after);
        return behind({ app, user }, last, limit, session);
      }),
    );
}
