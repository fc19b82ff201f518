import type { DatabaseSync } from "node:sqlite";
import type { ConversationQuery, ConversationView, EventRecord, Interval, MemberState } from "@chat21/engine";
import type { systemUser } from "@chat21/protocol";
import type { Accounts } from "./accounts.ts";
import type { ConversationIds } from "./conversation-ids.ts";
import { type ConversationReads, lastTimestampOf } from "./conversation-reads.ts";
import { type Row, selectEvent, toEventRecord } from "./event-rows.ts";
import { memberStateColumns, toIntervals, toMemberState } from "./member-rows.ts";
import { clip } from "./spans.ts";

/** How many unread messages are counted, at most. */
const maxUnread = 1_000;

/** What it writes counts as read. Named again, for the worker imports no other package at run time. */
const system: typeof systemUser = "system";

/** An account number that nobody has. */
const nobody = -1;

/** A user's seat in a conversation, and the newest message its list may show. */
interface Seat {
  readonly conversation: number;
  readonly account: number;
  /** The system's account in this app. */
  readonly system: number;
  readonly state: MemberState;
  readonly intervals: readonly Interval[];
  /** Nothing at or below is listed: it was erased. */
  readonly unlistedTo: number;
  readonly last: { readonly seq: number; readonly timestamp: number } | null;
}

/** Conversations as one user sees them. */
export interface ViewReads {
  list(query: ConversationQuery): ConversationView[];
  view(app: string, conversation: string, user: string): ConversationView | null;
}

function prepareStatements(database: DatabaseSync) {
  const visible = `conversation = ? AND seq BETWEEN ? AND ? AND listed = 1 AND ifnull(hidden_for, -1) <> ?`;
  return {
    // The last event's time bounds that of the last visible message from above.
    recent: database.prepare(
      `SELECT conversation, ${lastTimestampOf("m.conversation")} AS bound FROM member m
       WHERE account = :account AND (:archivedOnly = 0 OR archived_at IS NOT NULL) AND bound > :after
       ORDER BY bound DESC`,
    ),
    seat: database.prepare(
      `SELECT ${memberStateColumns}, intervals, c.unlisted_to FROM member m JOIN conversation c ON c.id = m.conversation
       WHERE m.account = ? AND m.conversation = ?`,
    ),
    lastListed: database.prepare(
      `SELECT seq, timestamp FROM event WHERE ${visible} ORDER BY seq DESC LIMIT 1`,
    ),
    unread: database.prepare(
      `SELECT count(*) AS n FROM (SELECT 1 FROM event WHERE ${visible} AND sender <> ? AND sender <> ? LIMIT ?)`,
    ),
    at: database.prepare(`${selectEvent} WHERE e.conversation = ? AND e.seq = ?`),
    counterpart: database.prepare(
      `SELECT delivered, read FROM member WHERE conversation = ? AND account <> ? ORDER BY ordinal LIMIT 1`,
    ),
  };
}

function isAsked({ last, state }: Seat, query: ConversationQuery): boolean {
  if (last === null || last.seq <= state.clearedAt) return false;
  const archived = state.archivedAt !== null && last.seq <= state.archivedAt;
  if (query.archived !== null && query.archived !== archived) return false;
  return query.before === undefined || last.timestamp < query.before;
}

function byNewest(a: ConversationView, b: ConversationView): number {
  const newest = (b.last?.timestamp ?? 0) - (a.last?.timestamp ?? 0);
  return newest || (a.record.conversation < b.record.conversation ? -1 : 1);
}

/** Works inside the caller's snapshot. */
export function createViewReads(
  database: DatabaseSync,
  accounts: Accounts,
  ids: ConversationIds,
  record: ConversationReads["record"],
): ViewReads {
  const sql = prepareStatements(database);

  function findLast(conversation: number, account: number, intervals: readonly Interval[], floor: number) {
    for (const [from, to] of clip(intervals, floor + 1, Number.MAX_SAFE_INTEGER).reverse()) {
      const row = sql.lastListed.get(conversation, from, to, account);
      if (row !== undefined) return { seq: row["seq"] as number, timestamp: row["timestamp"] as number };
    }
    return null;
  }

  function findSeat(app: string, conversation: number, account: number): Seat | null {
    const row = sql.seat.get(account, conversation);
    if (row === undefined) return null;
    const intervals = toIntervals(row);
    const unlistedTo = row["unlisted_to"] as number;
    const last = findLast(conversation, account, intervals, unlistedTo);
    const state = toMemberState(row);
    return {
      conversation,
      account,
      system: accounts.find(app, system) ?? nobody,
      state,
      intervals,
      unlistedTo,
      last,
    };
  }

  function countUnread(seat: Seat): number {
    const { conversation, account, intervals, unlistedTo, state } = seat;
    let unread = 0;
    for (const [from, to] of clip(intervals, Math.max(state.read, unlistedTo) + 1, Number.MAX_SAFE_INTEGER)) {
      const limit = maxUnread - unread;
      const row = sql.unread.get(conversation, from, to, account, account, seat.system, limit);
      unread += row?.["n"] as number;
    }
    return unread;
  }

  function toView(seat: Seat): ConversationView {
    const { conversation, account, state, last } = seat;
    const found = record(conversation);
    const event: EventRecord | null =
      last === null
        ? null
        : toEventRecord(sql.at.get(conversation, last.seq) as Row, found.app, found.conversation);
    const other = found.kind === "direct" ? sql.counterpart.get(conversation, account) : undefined;
    const counterpart =
      other === undefined ? null : { delivered: other["delivered"] as number, read: other["read"] as number };
    return { record: found, state, last: event, unread: countUnread(seat), counterpart };
  }

  /**
   * The user's conversations are walked from the most recently active one. A conversation's last visible message is
   * never newer than its last event, so the walk ends when `limit` seats are newer than all that may still come.
   */
  function newestSeats(account: number, query: ConversationQuery): Seat[] {
    const found: Seat[] = [];
    const archivedOnly = query.archived === true ? 1 : 0;
    const { after = -1 } = query;
    for (const row of sql.recent.iterate({ account, archivedOnly, after })) {
      const bound = row["bound"] as number;
      const weakest = found[query.limit - 1]?.last?.timestamp;
      if (weakest !== undefined && bound < weakest) break;
      const seat = findSeat(query.app, row["conversation"] as number, account);
      const timestamp = seat?.last?.timestamp ?? -1;
      if (seat === null || timestamp <= after || !isAsked(seat, query)) continue;
      const at = found.findLastIndex(({ last }) => (last?.timestamp ?? 0) >= timestamp);
      found.splice(at + 1, 0, seat);
    }
    return found;
  }

  return {
    list(query) {
      const account = accounts.find(query.app, query.user);
      if (account === null) return [];
      const seats = newestSeats(account, query);
      // Of several with the time of the last place, names decide: all of them are looked at.
      const weakest = seats[query.limit - 1]?.last?.timestamp ?? 0;
      const views = seats.filter(({ last }) => (last?.timestamp ?? 0) >= weakest).map(toView);
      return views.sort(byNewest).slice(0, query.limit);
    },
    view(app, conversation, user) {
      const account = accounts.find(app, user);
      const id = ids.find(app, conversation);
      const seat = account === null || id === null ? null : findSeat(app, id, account);
      return seat === null ? null : toView(seat);
    },
  };
}
