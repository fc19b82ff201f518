import type { DatabaseSync } from "node:sqlite";
import type { ConversationRecord, ConversationStore, MemberState } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { ConversationIds } from "./conversation-ids.ts";
import type { Row } from "./event-rows.ts";
import { memberStateColumns, toIntervals, toMemberState } from "./member-rows.ts";

/** The timestamp of a conversation's last event: one step to the last row of `event`. */
export const lastTimestampOf = (conversation: string) =>
  `(SELECT timestamp FROM event WHERE conversation = ${conversation} ORDER BY seq DESC LIMIT 1)`;

/** Reads of conversations as such. */
export interface ConversationReads {
  load(keys: Parameters<ConversationStore["load"]>[0]): (ConversationRecord | null)[];
  record(id: number): ConversationRecord;
  heads(app: string, user: string, limit: number): { conversation: string; head: number }[];
  memberStates(app: string, conversation: string): { user: string; state: MemberState }[];
  peers(app: string, user: string, limit: number): string[];
}

function prepareStatements(database: DatabaseSync) {
  return {
    facts: database.prepare(
      `SELECT c.*, e.seq AS head, e.timestamp FROM conversation c
       LEFT JOIN event e ON e.conversation = c.id AND e.seq = (SELECT max(seq) FROM event WHERE conversation = c.id)
       WHERE c.id = ?`,
    ),
    members: database.prepare(
      `SELECT a.name AS user, m.role, m.intervals, ${memberStateColumns} FROM member m
       JOIN account a ON a.id = m.account WHERE m.conversation = ? ORDER BY m.ordinal`,
    ),
    heads: database.prepare(
      `SELECT c.name AS conversation, (SELECT max(seq) FROM event WHERE conversation = c.id) AS head
       FROM member m JOIN conversation c ON c.id = m.conversation WHERE m.account = ?
       ORDER BY ${lastTimestampOf("c.id")} DESC, c.name LIMIT ?`,
    ),
    peers: database.prepare(
      `SELECT a.name AS user FROM member m JOIN conversation c ON c.id = m.conversation
       JOIN member o ON o.conversation = m.conversation AND o.account <> m.account
       JOIN account a ON a.id = o.account WHERE m.account = ? AND c.kind = 'direct'
       ORDER BY ${lastTimestampOf("c.id")} DESC, c.name LIMIT ?`,
    ),
  };
}

function toGroup(row: Row): ConversationRecord["group"] {
  if (row["group_name"] === null) return null;
  return {
    name: row["group_name"] as string,
    owner: row["group_owner"] as string,
    createdOn: row["group_created_on"] as number,
    updatedOn: row["group_updated_on"] as number,
    attributes: row["group_attributes"] as string | null,
  };
}

function toRecord(row: Row, members: readonly Row[]): ConversationRecord {
  return {
    app: row["app"] as string,
    conversation: row["name"] as string,
    kind: row["kind"] as ConversationRecord["kind"],
    head: (row["head"] as number | null) ?? 0,
    lastTimestamp: (row["timestamp"] as number | null) ?? 0,
    transient: row["transient"] === 1,
    group: toGroup(row),
    members: members.map((member) => ({
      user: member["user"] as string,
      role: member["role"] as "owner" | "member",
      intervals: toIntervals(member),
    })),
    archivedBy: members
      .filter((member) => member["archived_at"] !== null)
      .map((member) => member["user"] as string),
  };
}

/** Works inside the caller's snapshot. */
export function createConversationReads(
  database: DatabaseSync,
  accounts: Accounts,
  ids: ConversationIds,
): ConversationReads {
  const sql = prepareStatements(database);
  const record = (id: number) => toRecord(sql.facts.get(id) as Row, sql.members.all(id));
  return {
    record,
    load: (keys) =>
      keys.map(({ app, conversation }) => {
        const id = ids.find(app, conversation);
        return id === null ? null : record(id);
      }),
    heads(app, user, limit) {
      const rows = sql.heads.all(accounts.find(app, user), limit);
      return rows.map(({ conversation, head }) => ({
        conversation: conversation as string,
        head: Number(head),
      }));
    },
    memberStates(app, conversation) {
      const rows = sql.members.all(ids.find(app, conversation));
      return rows.map((row) => ({ user: row["user"] as string, state: toMemberState(row) }));
    },
    peers: (app, user, limit) =>
      sql.peers.all(accounts.find(app, user), limit).map((row) => row["user"] as string),
  };
}
