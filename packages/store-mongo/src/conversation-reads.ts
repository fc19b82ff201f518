import type { ConversationRecord, ConversationStore } from "@chat21/engine";
import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { ConversationDocument, ConversationKey, MemberDocument } from "./documents.ts";
import { withTrueHeads } from "./heads.ts";
import { conversationName } from "./key-names.ts";
import type { KnownHeads } from "./known-heads.ts";
import { createNamesOfMember } from "./names-of-member.ts";

/** Conversations of one query. */
const pageSize = 1_000;

/** Reads that several methods of the port share. All run inside the caller's snapshot. */
export interface ConversationReads {
  /** Documents with true heads, by `app\nconversation`. */
  documents(
    keys: readonly ConversationKey[],
    session: mongo.ClientSession,
  ): Promise<ReadonlyMap<string, ConversationDocument>>;
  /** Members in order, by `app\nconversation`. */
  members(
    keys: readonly ConversationKey[],
    session: mongo.ClientSession,
  ): Promise<ReadonlyMap<string, readonly MemberDocument[]>>;
}

/** A record of a document and its members. */
function toConversationRecord(
  document: ConversationDocument,
  members: readonly MemberDocument[],
): ConversationRecord {
  const { _id, kind, transient, group, head, lastTimestamp } = document;
  return {
    app: _id.app,
    conversation: _id.conversation,
    kind,
    head,
    lastTimestamp,
    transient,
    group,
    members: members.map(({ account, role, intervals }) => ({ user: account.user, role, intervals })),
    archivedBy: members.filter(({ archivedAt }) => archivedAt !== null).map(({ account }) => account.user),
  };
}

/** The shared reads. */
export function createConversationReads(database: Database): ConversationReads {
  const { conversations, members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  async function documents(keys: readonly ConversationKey[], session: mongo.ClientSession) {
    const known = new Map<string, ConversationDocument>();
    for (const chunk of chunksOf(keys, pageSize)) {
      const asked = chunk.map(({ app, conversation }) => ({ app, conversation }));
      const found = await conversations.find({ _id: { $in: asked } }, { session, maxTimeMS }).toArray();
      const current = await withTrueHeads(database, found, session);
      for (const document of current) known.set(conversationName(document._id), document);
    }
    return known;
  }

  return {
    documents,
    async members(keys, session) {
      const grouped = new Map<string, MemberDocument[]>();
      for (const chunk of chunksOf(keys, pageSize)) {
        const asked = chunk.map(({ app, conversation }) => ({ app, conversation }));
        const cursor = members.find({ conversation: { $in: asked } }, { session, maxTimeMS });
        for (const member of await cursor.toArray()) {
          const name = conversationName(member.conversation);
          const list = grouped.get(name);
          if (list === undefined) grouped.set(name, [member]);
          else list.push(member);
        }
      }
      for (const list of grouped.values()) list.sort((a, b) => a.ordinal - b.ordinal);
      return grouped;
    },
  };
}

/** `ConversationStore.load` and `heads`. */
export function createConversations(
  database: Database,
  { reads, known }: { reads: ConversationReads; known: KnownHeads },
): Pick<ConversationStore, "heads" | "load"> {
  const namesOf = createNamesOfMember(database);
  return {
    load: (keys) =>
      database.call(async () => {
        if (keys.length === 0) return [];
        return database.snapshot(async (session) => {
          const documents = await reads.documents(keys, session);
          const seated = await reads.members(keys, session);
          for (const { _id, head, kind, transient } of documents.values()) {
            known.set(_id, { head, kind, transient });
          }
          return keys.map((key) => {
            const document = documents.get(conversationName(key));
            return document === undefined
              ? null
              : toConversationRecord(document, seated.get(conversationName(key)) ?? []);
          });
        });
      }),
    heads: (app, user, limit, after = "") =>
      database.call(() =>
        database.snapshot(async (session) => {
          const keys = await namesOf({ app, user }, { after, limit }, session);
          const found = await reads.documents(keys, session);
          return keys.flatMap((key) => {
            const document = found.get(conversationName(key));
            return document === undefined ? [] : [{ conversation: key.conversation, head: document.head }];
          });
        }),
      ),
  };
}

/** A member's place. */
export function toMemberState({ delivered, read, archivedAt, markedUnread, clearedAt }: MemberDocument) {
  return { delivered, read, archivedAt, markedUnread, clearedAt };
}
