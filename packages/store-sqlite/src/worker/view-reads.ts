import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ConversationView, EventRecord, Interval, MemberState } from "@chat21/engine";
import type { limits, systemUser } from "@chat21/protocol";
import type { Accounts } from "./accounts.ts";
import type { ConversationIds } from "./conversation-ids.ts";
import { type EventRows, type Row, selectEvent } from "./event-rows.ts";
import { memberStateColumns, toIntervals, toMemberState } from "./member-rows.ts";
import { clip } from "./spans.ts";

// The worker imports no other package at run time: its values stand here again, held equal by their types.

/** How many unread messages are counted, at most. */
const maxUnread: typeof limits.unreadMax = 1_000;

/** Characters of a text that a list shows. */
const listTextCharacters: typeof limits.listTextCharacters = 1_000;

/** Bodies up to this size are not worth being shortened. */
const shortBodyBytes = 8 * 1024;

/** The user `system`: its messages count as read. */
const system: typeof systemUser = "system";

/** An account number that nobody has. */
const nobody = -1;

/** A member's row and its conversation's. */
export interface Seat {
  readonly app: string;
  readonly name: string;
  readonly kind: ConversationView["kind"];
  readonly conversation: number;
  readonly account: number;
  /** Number of the conversation's last event. */
  readonly head: number;
  /** Its log position. */
  readonly end: number;
  readonly state: MemberState;
  readonly intervals: readonly Interval[];
  /** Change number since which the member sees earlier events, too. */
  readonly widened: number;
  /** No event at or below this number is listed: all were erased. */
  readonly unlistedTo: number;
}

/** The event that a list shows of a conversation. */
interface LastListed {
  readonly seq: number;
  readonly timestamp: number;
}

/** Conversations as one user sees them. */
export interface ViewReads {
  view(app: string, conversation: string, user: string): ConversationView | null;
  seat(conversation: number, account: number): Seat | null;
  lastListed(seat: Seat): LastListed | null;
  /** `last` without its body's text beyond what a list shows, if it is long. */
  toListView(seat: Seat, last: LastListed): ConversationView;
  /** `last`, where the caller has read it. */
  toView(seat: Seat, last?: EventRecord): ConversationView;
}

/**
 * A body whose text is cut. One with escaped characters stays whole: SQLite would not write half a pair, or a zero
 * character, as it stands there.
 */
const shortened = (body: string) =>
  `CASE WHEN octet_length(${body}) > ${shortBodyBytes} AND instr(${body}, '\\u') = 0
     AND json_type(${body}, '$.text') = 'text'
   THEN json_set(${body}, '$.text', substr(json_extract(${body}, '$.text'), 1, ${listTextCharacters}))
   ELSE ${body} END`;

function prepareStatements(database: DatabaseSync) {
  const visible = `conversation = ? AND seq BETWEEN ? AND ? AND listed = 1 AND ifnull(hidden_for, -1) <> ?`;
  return {
    seat: database.prepare(
      `SELECT ${memberStateColumns}, m.intervals, m.widened, c.app, c.name, c.kind, c.unlisted_to, e.seq, e.position
       FROM member m JOIN conversation c ON c.id = m.conversation JOIN event e ON e.conversation = m.conversation
       WHERE m.account = ? AND m.conversation = ? ORDER BY e.seq DESC LIMIT 1`,
    ),
    lastListed: database.prepare(
      `SELECT seq, timestamp FROM event WHERE ${visible} ORDER BY seq DESC LIMIT 1`,
    ),
    unread: database.prepare(
      `SELECT count(*) AS n FROM event WHERE ${visible} AND sender <> ? AND sender <> ?`,
    ),
    // It is three times as slow for a few messages, but never slow for many.
    unreadOfMany: database.prepare(
      `SELECT count(*) AS n FROM (SELECT 1 FROM event WHERE ${visible} AND sender <> ? AND sender <> ? LIMIT ${maxUnread})`,
    ),
    at: database.prepare(`${selectEvent} WHERE e.conversation = ? AND e.seq = ?`),
    shortenedAt: database.prepare(
      `${selectEvent.replace("c.body", `${shortened("c.body")} AS body`)} WHERE e.conversation = ? AND e.seq = ?`,
    ),
    counterpart: database.prepare(
      `SELECT delivered, read FROM member WHERE conversation = ? AND account <> ? ORDER BY ordinal LIMIT 1`,
    ),
  };
}

/** The last number that the intervals reach: `visibleHead` of the engine. */
function visibleHead(intervals: readonly Interval[], head: number): number {
  const last = intervals.at(-1);
  return last === undefined ? 0 : Math.min(last[1] ?? head, head);
}

/** Works inside the caller's snapshot. */
export function createViewReads(
  database: DatabaseSync,
  accounts: Accounts,
  ids: ConversationIds,
  { toEventRecord }: EventRows,
): ViewReads {
  const sql = prepareStatements(database);

  function seat(conversation: number, account: number): Seat | null {
    const row = sql.seat.get(account, conversation);
    if (row === undefined) return null;
    return {
      app: row["app"] as string,
      name: row["name"] as string,
      kind: row["kind"] as Seat["kind"],
      conversation,
      account,
      head: row["seq"] as number,
      end: row["position"] as number,
      state: toMemberState(row),
      intervals: toIntervals(row),
      widened: row["widened"] as number,
      unlistedTo: row["unlisted_to"] as number,
    };
  }

  function lastListed({ conversation, account, intervals, unlistedTo, head }: Seat): LastListed | null {
    for (const [from, to] of clip(intervals, unlistedTo + 1, head).reverse()) {
      const row = sql.lastListed.get(conversation, from, to, account);
      if (row !== undefined) return { seq: row["seq"] as number, timestamp: row["timestamp"] as number };
    }
    return null;
  }

  function countUnread(
    { app, conversation, account, intervals, unlistedTo, state }: Seat,
    last: number,
  ): number {
    const spans = clip(intervals, Math.max(state.read, unlistedTo) + 1, last);
    if (spans.length === 0) return 0;
    const systemAccount = accounts.find(app, system) ?? nobody;
    let unread = 0;
    for (const [from, to] of spans) {
      const count = to - from < maxUnread ? sql.unread : sql.unreadOfMany;
      unread += count.get(conversation, from, to, account, account, systemAccount)?.["n"] as number;
    }
    return Math.min(unread, maxUnread);
  }

  function counterpartOf({ kind, conversation, account }: Seat): ConversationView["counterpart"] {
    const other = kind === "direct" ? sql.counterpart.get(conversation, account) : undefined;
    if (other === undefined) return null;
    return { delivered: other["delivered"] as number, read: other["read"] as number };
  }

  const read = ({ conversation, app, name }: Seat, { seq }: LastListed, statement: StatementSync) =>
    toEventRecord(statement.get(conversation, seq) as Row, app, name);

  function viewOf(found: Seat, last: EventRecord | null): ConversationView {
    const { app, name, kind, state } = found;
    return {
      app,
      conversation: name,
      kind,
      head: visibleHead(found.intervals, found.head),
      state,
      last,
      // Nothing is listed behind the last one.
      unread: last === null ? 0 : countUnread(found, last.seq),
      counterpart: counterpartOf(found),
    };
  }

  function toView(found: Seat, last?: EventRecord): ConversationView {
    if (last !== undefined) return viewOf(found, last);
    const listed = lastListed(found);
    return viewOf(found, listed === null ? null : read(found, listed, sql.at));
  }

  return {
    seat,
    lastListed,
    toView,
    toListView: (found, last) => viewOf(found, read(found, last, sql.shortenedAt)),
    view(app, conversation, user) {
      const account = accounts.find(app, user);
      const id = ids.find(app, conversation);
      const found = account === null || id === null ? null : seat(id, account);
      return found === null ? null : toView(found);
    },
  };
}
