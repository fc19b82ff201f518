import type { ConversationRecord, ConversationStore } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { ConversationDocument, ConversationKey, MemberDocument } from "./documents.ts";
import { withTrueHeads } from "./heads.ts";
import type { KnownHeads } from "./known-heads.ts";

const nameOf = ({ app, conversation }: ConversationKey) => `${app}\n${conversation}`;
const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The user's conversations are read in pages of so many. */
const pageSize = 1_000;

/** Most recently active first, at equal times by name. */
function byActivity(a: ConversationDocument, b: ConversationDocument): number {
  return b.lastTimestamp - a.lastTimestamp || byName(a._id.conversation, b._id.conversation);
}

/** Reads that several methods of the port share; all inside the caller's snapshot. */
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
  /** Every conversation in which the user ever was a member, the most recently active one first. */
  ofUser(
    app: string,
    user: string,
    session: mongo.ClientSession,
  ): Promise<{ readonly member: MemberDocument; readonly conversation: ConversationDocument }[]>;
}

/** A record of a document and its members. */
export function toConversationRecord(
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
    for (let at = 0; at < keys.length; at += pageSize) {
      const asked = keys.slice(at, at + pageSize).map(({ app, conversation }) => ({ app, conversation }));
      const found = await conversations.find({ _id: { $in: asked } }, { session, maxTimeMS }).toArray();
      const current = await withTrueHeads(database, found, session);
      for (const document of current) known.set(nameOf(document._id), document);
    }
    return known;
  }

  return {
    documents,
    async members(keys, session) {
      const grouped = new Map<string, MemberDocument[]>();
      for (let at = 0; at < keys.length; at += pageSize) {
        const asked = keys.slice(at, at + pageSize).map(({ app, conversation }) => ({ app, conversation }));
        const cursor = members.find({ conversation: { $in: asked } }, { session, maxTimeMS });
        for (const member of await cursor.toArray()) {
          const name = nameOf(member.conversation);
          const list = grouped.get(name);
          if (list === undefined) grouped.set(name, [member]);
          else list.push(member);
        }
      }
      for (const list of grouped.values()) list.sort((a, b) => a.ordinal - b.ordinal);
      return grouped;
    },
    async ofUser(app, user, session) {
      const seats = await members
        .find({ account: { app, user } }, { session, maxTimeMS, batchSize: pageSize })
        .toArray();
      const known = await documents(
        seats.map(({ conversation }) => conversation),
        session,
      );
      return seats
        .flatMap((member) => {
          const conversation = known.get(nameOf(member.conversation));
          return conversation === undefined ? [] : [{ member, conversation }];
        })
        .sort((a, b) => byActivity(a.conversation, b.conversation));
    },
  };
}

/** `ConversationStore.load` and `heads`. */
export function createConversations(
  database: Database,
  reads: ConversationReads,
  known: KnownHeads,
): Pick<ConversationStore, "heads" | "load"> {
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
            const document = documents.get(nameOf(key));
            return document === undefined
              ? null
              : toConversationRecord(document, seated.get(nameOf(key)) ?? []);
          });
        });
      }),
    heads: (app, user, limit) =>
      database.call(() =>
        database.snapshot(async (session) => {
          const found = await reads.ofUser(app, user, session);
          return found
            .slice(0, limit)
            .map(({ conversation: { _id, head } }) => ({ conversation: _id.conversation, head }));
        }),
      ),
  };
}

/** A member's place. */
export function toMemberState({ delivered, read, archivedAt, markedUnread, clearedAt }: MemberDocument) {
  return { delivered, read, archivedAt, markedUnread, clearedAt };
}
