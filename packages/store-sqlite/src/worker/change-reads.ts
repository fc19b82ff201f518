import type { DatabaseSync } from "node:sqlite";
import type { ChangedConversation, ChangeQuery, Changes, EventRecord } from "@chat21/engine";
import { packChanges } from "../changes-codec.ts";
import type { Accounts } from "./accounts.ts";
import {
  type ChangeWalk,
  cursorBelow,
  cursorOfNextWalk,
  isContinued,
  parseChangeCursor,
} from "./change-walk.ts";
import type { EndReads } from "./end-reads.ts";
import { type EventRows, selectEvent } from "./event-rows.ts";
import { GreatestFirst } from "./greatest-first.ts";
import { type SeatTable, seatField } from "./seat-table.ts";
import type { SeatTables } from "./seat-tables.ts";
import { clip, type Span } from "./spans.ts";
import type { Seat, ViewReads } from "./view-reads.ts";

/** Reads of the changes for a user. */
export interface ChangeReads {
  /** The text of `packChanges`. */
  changes(query: ChangeQuery): string;
}

/** Parts of {@link createChangeReads}. */
export interface ChangeParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly ends: EndReads;
  readonly tables: SeatTables;
  readonly views: ViewReads;
  readonly rows: EventRows;
}

/** Events that are read at a time. */
const eventsOfStep = 8;

/** An account number that nobody has. */
const nobody = -1;

/** The newest events of a conversation, and what lies behind them. */
interface Newest {
  /** Newest first. */
  readonly events: EventRecord[];
  readonly from: number;
  readonly behind: boolean;
  /** The newest of them that a list shows: the last message of the conversation. */
  readonly last: EventRecord | undefined;
  /** Of the events, and once more of `last`, which the state shows, too. */
  readonly characters: number;
}

function prepareStatements(database: DatabaseSync) {
  return {
    logPositionAt: database.prepare(
      "SELECT position FROM event WHERE conversation = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
    ),
    // `+`: by number, never by position, where all events of all conversations are.
    newer: database.prepare(
      `${selectEvent} WHERE e.conversation = ? AND e.seq BETWEEN ? AND ? AND +e.position > ? ORDER BY e.seq DESC`,
    ),
  };
}

/** Works inside the caller's snapshot (ADR 0012). */
export function createChangeReads(parts: ChangeParts): ChangeReads {
  const { accounts, ends, tables, views, rows } = parts;
  const sql = prepareStatements(parts.database);

  const logPositionAt = (conversation: number, seq: number) =>
    (sql.logPositionAt.get(conversation, seq)?.["position"] ?? 0) as number;

  /** Log position of the last event that a former member sees. It never changes. */
  function endOfFormer(table: SeatTable, seat: number, account: number): number {
    const known = table.get(seat, seatField.endedAt);
    if (known > 0) return known;
    const found = views.seat(table.get(seat, seatField.conversation), account);
    const end = found?.intervals.at(-1)?.[1] ?? 0;
    const logPosition = found === null ? 0 : logPositionAt(found.conversation, end);
    if (found !== null && end <= found.head && logPosition > 0)
      table.set(seat, seatField.endedAt, logPosition);
    return logPosition;
  }

  /** Number of the newest change that concerns the member; 0 or anything up to `since` when there is none behind it. */
  function changeOf(table: SeatTable, seat: number, account: number, since: number): number {
    const changed = table.get(seat, seatField.changed);
    const conversation = table.get(seat, seatField.conversation);
    let end = ends.logPosition(conversation);
    if (end <= since || end <= changed) return changed;
    if (table.get(seat, seatField.endedAt) !== 0) end = endOfFormer(table, seat, account);
    // The writer has told of an event that the snapshot does not hold.
    else if (end > table.upTo) end = logPositionAt(conversation, Number.MAX_SAFE_INTEGER);
    return Math.max(changed, end);
  }

  function newestEvents(
    seat: Seat,
    query: ChangeQuery,
    base: number,
    room: number,
    isFirst: boolean,
  ): Newest | null {
    const events: EventRecord[] = [];
    const known = seat.widened > base ? 0 : base;
    let last: EventRecord | undefined;
    let left = room;
    const result = (from: number, behind: boolean): Newest => ({
      events,
      from,
      behind,
      last,
      characters: room - left,
    });
    for (const [low, high] of stepsDown(clip(seat.intervals, 1, seat.head))) {
      const newer = sql.newer.all(seat.conversation, low, high, known);
      for (const row of newer) {
        if (row["hidden_for"] === query.user) continue;
        const isEnough = events.length === query.eventsEach;
        const isLast = last === undefined && row["listed"] === 1;
        const characters = (row["body"] as string).length;
        const cost = (isLast ? 2 : 1) * characters + (query.eventOverhead ?? 0);
        const fits = cost <= left;
        if (isEnough || (!fits && isFirst && events.length > 0)) return result(fromOf(seat, events), true);
        if (!fits && !isFirst) return null;
        left -= cost;
        const event = rows.toEventRecord(row, seat.app, seat.name);
        if (isLast) last = event;
        events.push(event);
      }
      // Numbers have no gaps: the next event below is known.
      if (newer.length < high - low + 1) return result(high - newer.length + 1, false);
    }
    return result(1, false);
  }

  function toChanged(
    conversation: number,
    account: number,
    query: ChangeQuery,
    base: number,
    room: number,
    isFirst: boolean,
  ): { readonly item: ChangedConversation; readonly characters: number } | null {
    const seat = views.seat(conversation, account);
    if (seat === null) return null;
    const roomInside = room - (query.conversationOverhead ?? 0);
    let newest = newestEvents(seat, query, base, roomInside, isFirst);
    if (newest === null) return null;
    const view = views.toView(seat, newest.last);
    const lastCharacters = newest.last === undefined ? (view.last?.body.length ?? 0) : 0;
    if (newest.characters + lastCharacters > roomInside) {
      if (!isFirst) return null;
      newest = newestEvents(seat, query, base, roomInside - lastCharacters, isFirst) as Newest;
    }
    const { events, from, behind, characters } = newest;
    const item = { view, events: events.reverse(), from: Math.min(from, view.head + 1), behind };
    return { item, characters: room - roomInside + lastCharacters + characters };
  }

  function readPage(table: SeatTable, account: number, query: ChangeQuery, walk: ChangeWalk): Changes {
    const { since, base, upTo, below } = walk;
    const last = table.upTo;
    const left = new GreatestFirst();
    let escaped = false;
    const seats = table.newestChange > since ? table.size : 0;
    for (let seat = 0; seat < seats; seat += 1) {
      const change = changeOf(table, seat, account, since);
      if (change > upTo) escaped = true;
      if (change > since && change < below) left.collect(change, table.get(seat, seatField.conversation));
    }
    left.arrange();
    const conversations: ChangedConversation[] = [];
    let room = query.characters;
    let reached = below;
    while (conversations.length < query.limit) {
      const change = left.greatest();
      const conversation = left.take();
      if (conversation === undefined) break;
      const found = toChanged(conversation, account, query, base, room, conversations.length === 0);
      if (found === null) return { conversations, cursor: cursorBelow(walk, reached), more: true };
      conversations.push(found.item);
      room -= found.characters;
      reached = change;
    }
    if (left.size > 0) return { conversations, cursor: cursorBelow(walk, reached), more: true };
    if (escaped && isContinued(walk, last))
      return { conversations, cursor: cursorOfNextWalk(walk), more: true };
    return { conversations, cursor: String(last), more: false };
  }

  return {
    changes(query) {
      const account = accounts.find(query.app, query.user) ?? nobody;
      const table = tables.of(account);
      return packChanges(readPage(table, account, query, parseChangeCursor(query.cursor, table.upTo)));
    },
  };
}

/** The spans in steps of a few events, from the newest one downwards: mostly there are few, and their texts may be long. */
function* stepsDown(spans: readonly Span[]): Generator<Span, void> {
  for (const [from, to] of spans.toReversed()) {
    for (let high = to; high >= from; high -= eventsOfStep)
      yield [Math.max(from, high - eventsOfStep + 1), high];
  }
}

/** The number from which on the newest events are whole. */
function fromOf(seat: Seat, newestFirst: readonly EventRecord[]): number {
  return newestFirst.at(-1)?.seq ?? seat.head + 1;
}
