import type { ConversationStore } from "@chat21/engine";
import { directConversationId } from "@chat21/protocol";
import type { mongo } from "mongoose";
import type { ConversationReads } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import type { AccountKey, ConversationKey } from "./documents.ts";
import { conversationName } from "./key-names.ts";
import type { Memberships } from "./memberships.ts";

type Session = mongo.ClientSession;

/** `ConversationStore.peers`. */
export function createPeers(
  database: Database,
  reads: ConversationReads,
  memberships: Memberships,
): ConversationStore["peers"] {
  const { conversations, members } = database.collections;
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

  async function newest(app: string, user: string, limit: number, session: Session) {
    const peers: string[] = [];
    let keys: ConversationKey[] = [];
    for await (const { _id } of memberships.byActivity({ app, user }, { kind: "direct" }, session)) {
      keys.push(_id);
      if (keys.length < limit) continue;
      peers.push(...(await othersIn(keys, user, session)));
      if (peers.length >= limit) return peers.slice(0, limit);
      keys = [];
    }
    return [...peers, ...(await othersIn(keys, user, session))].slice(0, limit);
  }

  /** By the index `account`, which holds a user's conversations by name: earlier names are not read. */
  async function keysBehind(account: AccountKey, after: ConversationKey, limit: number, session: Session) {
    const page = await members
      .find(
        { account, conversation: { $gt: after } },
        { session, maxTimeMS, projection: { conversation: 1 }, hint: "account" },
      )
      .sort({ conversation: 1 })
      .limit(limit)
      .toArray();
    return page.map(({ conversation }) => conversation);
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
    let after: ConversationKey = { app: account.app, conversation: last };
    for (;;) {
      const keys = await keysBehind(account, after, limit, session);
      peers.push(...(await othersIn(await directOf(keys, session), account.user, session)));
      const end = keys.at(-1);
      if (end === undefined || keys.length < limit || peers.length >= limit) return peers.slice(0, limit);
      after = end;
    }
  }

  return (app, user, limit, after) =>
    database.call(() =>
      database.snapshot((session) => {
        if (after === undefined) return newest(app, user, limit, session);
        const last = after === "" ? "" : directConversationId(user, after);
        return behind({ app, user }, last, limit, session);
      }),
    );
}
