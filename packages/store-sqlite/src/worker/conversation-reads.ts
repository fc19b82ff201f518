import type { DatabaseSync } from "node:sqlite";
import type {
  ConversationRecord,
  ConversationStore,
  GroupQuery,
  GroupRecord,
  GroupSummaryRecord,
} from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { ConversationIds } from "./conversation-ids.ts";
import type { Row } from "./event-rows.ts";
import { toIntervals } from "./member-rows.ts";

/** Reads of conversations as such. */
export interface ConversationReads {
  load(keys: Parameters<ConversationStore["load"]>[0]): (ConversationRecord | null)[];
  /** In the order in which conversations began, from behind the one named `after`. `null`: from the first. */
  heads(
    app: string,
    user: string,
    limit: number,
    after: string | null,
  ): { conversation: string; head: number }[];
  groups(query: GroupQuery): GroupSummaryRecord[];
  /** Of direct conversations, like `heads`. */
  peers(app: string, user: string, limit: number, after: string | null): string[];
}

/** The last interval of a present member has no end. */
const isPresent = "json_array_length(m.intervals) > 0 AND json_extract(m.intervals, '$[#-1][1]') IS NULL";

function prepareStatements(database: DatabaseSync) {
  return {
    facts: database.prepare(
      `SELECT c.*, e.seq AS head, e.timestamp FROM conversation c
       LEFT JOIN event e ON e.conversation = c.id AND e.seq = (SELECT max(seq) FROM event WHERE conversation = c.id)
       WHERE c.id = ?`,
    ),
    members: database.prepare(
      `SELECT a.name AS user, m.role, m.intervals, m.archived_at FROM member m
       JOIN account a ON a.id = m.account WHERE m.conversation = ? ORDER BY m.ordinal`,
    ),
    heads: database.prepare(
      `SELECT c.name AS conversation, (SELECT max(seq) FROM event WHERE conversation = c.id) AS head
       FROM member m CROSS JOIN conversation c ON c.id = m.conversation WHERE m.account = ? AND m.conversation > ?
       ORDER BY m.conversation LIMIT ?`,
    ),
    groups: database.prepare(
      `SELECT * FROM conversation WHERE app = ? AND name > ? AND group_name IS NOT NULL ORDER BY name LIMIT ?`,
    ),
    groupsOf: database.prepare(
      `SELECT c.* FROM member m JOIN conversation c ON c.id = m.conversation
       WHERE m.account = ? AND c.name > ? AND c.group_name IS NOT NULL AND ${isPresent} ORDER BY c.name LIMIT ?`,
    ),
    // Not as a column of the two above: it would be counted for every group that is sorted.
    present: database.prepare(
      `SELECT count(*) AS count FROM member m WHERE m.conversation = ? AND ${isPresent}`,
    ),
    peers: database.prepare(
      `SELECT a.name AS user FROM member m CROSS JOIN conversation c ON c.id = m.conversation
       CROSS JOIN member o ON o.conversation = m.conversation AND o.account <> m.account
       CROSS JOIN account a ON a.id = o.account
       WHERE m.account = ? AND m.conversation > ? AND c.kind = 'direct'
       ORDER BY m.conversation, o.ordinal LIMIT ?`,
    ),
  };
}

function toGroup(row: Row): GroupRecord {
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
    group: row["group_name"] === null ? null : toGroup(row),
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
  /** Ids begin at 1. A name that there is not has nothing behind it. */
  const idOf = (app: string, name: string | null) =>
    name === null ? 0 : (ids.find(app, name) ?? Number.MAX_SAFE_INTEGER);
  return {
    load: (keys) =>
      keys.map(({ app, conversation }) => {
        const id = ids.find(app, conversation);
        return id === null ? null : toRecord(sql.facts.get(id) as Row, sql.members.all(id));
      }),
    heads(app, user, limit, after) {
      const rows = sql.heads.all(accounts.find(app, user), idOf(app, after), limit);
      return rows.map(({ conversation, head }) => ({
        conversation: conversation as string,
        head: Number(head),
      }));
    },
    groups({ app, limit, after = "", member }) {
      const rows =
        member === undefined
          ? sql.groups.all(app, after, limit)
          : sql.groupsOf.all(accounts.find(app, member), after, limit);
      return rows.map((row) => ({
        app,
        conversation: row["name"] as string,
        group: toGroup(row),
        memberCount: Number(sql.present.get(row["id"] as number)?.["count"]),
      }));
    },
    peers(app, user, limit, after) {
      const rows = sql.peers.all(accounts.find(app, user), idOf(app, after), limit);
      return rows.map((row) => row["user"] as string);
    },
  };
}
