import type { DatabaseSync } from "node:sqlite";
import type { EndReads } from "./end-reads.ts";
import type { Row } from "./event-rows.ts";
import { SeatTable, seatField } from "./seat-table.ts";

/** Seats that stay in memory, of all accounts together: about 64 MiB. */
const maxSeats = 500_000;

/** A table without seats takes the memory of so many. */
const seatsPerTable = 16;

/** Characters of views that stay in memory, of all accounts together. */
const maxViewCharacters = 16 * 1024 * 1024;

/** To read an event of the log costs as much as to look at so many seats. */
const seatsPerEvent = 16;

/** So many events are read in any case. */
const fewEvents = 4;

/** The seats of accounts on the connection that reads, as of the caller's snapshot. */
export interface SeatTables {
  of(account: number): SeatTable;
  /** Keeps what was read of a seat for a list, until the seat changes or the memory is needed. */
  keepView(table: SeatTable, seat: number, text: string): void;
}

function prepareStatements(database: DatabaseSync) {
  const columns = `conversation, archived_at, cleared_at, changed, substr(intervals, -6) = 'null]]' AS open`;
  return {
    // The ends of logs come with it: to ask for each alone takes three times as long.
    all: database.prepare(
      `SELECT m.*, e.position, e.timestamp FROM (SELECT ${columns} FROM member WHERE account = ?) m
       JOIN event e ON e.conversation = m.conversation
         AND e.seq = (SELECT max(seq) FROM event WHERE conversation = m.conversation)`,
    ),
    changed: database.prepare(`SELECT ${columns} FROM member WHERE account = ? AND changed > ?`),
    lastChanged: database.prepare("SELECT max(changed) AS last FROM member WHERE account = ?"),
    lastLogPosition: database.prepare("SELECT max(position) AS last FROM event_content"),
    writtenSince: database.prepare("SELECT conversation FROM event_content WHERE position > ?"),
  };
}

/**
 * A table is read whole once. Every change of a member's row and every event has a number from one sequence, so that later
 * only rows and events with higher numbers are read. No other thread has to say what is out of date.
 */
export function createSeatTables(database: DatabaseSync, ends: EndReads): SeatTables {
  const sql = prepareStatements(database);
  /** In order of use: the table used last stands last. */
  const tables = new Map<number, SeatTable>();
  let seats = 0;
  let viewCharacters = 0;

  function put(table: SeatTable, row: Row): number {
    const seat = table.seatIn(row["conversation"] as number);
    table.set(seat, seatField.archivedAt, (row["archived_at"] ?? -1) as number);
    table.set(seat, seatField.clearedAt, row["cleared_at"] as number);
    table.set(seat, seatField.changed, row["changed"] as number);
    table.set(seat, seatField.endedAt, row["open"] === 1 ? 0 : -1);
    return seat;
  }

  /** Seats whose conversation's log went on. */
  function outdated(table: SeatTable, last: number): number[] {
    // An overlay that was written without an event can only be found by looking at every seat.
    const isFar = last - table.upTo > fewEvents + table.size / seatsPerEvent;
    if (isFar || ends.lastTouch() > table.upTo) {
      return Array.from({ length: table.size }, (_, seat) => seat).filter((seat) => isOutdated(table, seat));
    }
    if (last <= table.upTo) return [];
    const conversations = sql.writtenSince.all(table.upTo).map((row) => row["conversation"] as number);
    return conversations.map((conversation) => table.find(conversation)).filter((seat) => seat !== undefined);
  }

  function isOutdated(table: SeatTable, seat: number): boolean {
    const conversation = table.get(seat, seatField.conversation);
    return table.isExact(seat)
      ? table.get(seat, seatField.asOf) !== ends.logPosition(conversation)
      : table.get(seat, seatField.time) !== ends.timestamp(conversation);
  }

  /** Seats that have to be looked up before they are listed. */
  function makeUnsure(table: SeatTable, moved: readonly number[]): void {
    for (const seat of moved) {
      const conversation = table.get(seat, seatField.conversation);
      table.set(seat, seatField.asOf, 0);
      table.set(seat, seatField.time, ends.timestamp(conversation));
      table.forgetView(seat);
      const change = Math.max(table.get(seat, seatField.changed), ends.logPosition(conversation));
      table.newestChange = Math.max(table.newestChange, change);
    }
    table.arrange(moved);
  }

  /** All rows of an account that has no table yet. */
  function readAll(account: number): Row[] {
    const rows = sql.all.all(account);
    for (const row of rows)
      ends.learn(row["conversation"] as number, row["position"] as number, row["timestamp"] as number);
    return rows;
  }

  function refresh(table: SeatTable, rows: readonly Row[], account: number): void {
    const last = Number(sql.lastLogPosition.get()?.["last"] ?? 0);
    const behind = outdated(table, last);
    makeUnsure(table, [...rows.map((row) => put(table, row)), ...behind]);
    table.upTo = Math.max(Number(sql.lastChanged.get(account)?.["last"] ?? 0), last);
  }

  function forgetOldest(): void {
    for (const [account, table] of tables) {
      if (seats <= maxSeats || tables.size === 1) return;
      tables.delete(account);
      seats -= table.size + seatsPerTable;
      viewCharacters -= table.viewCharacters;
    }
  }

  return {
    of(account) {
      const known = tables.get(account);
      const table = known ?? new SeatTable();
      const before = { size: table.size, viewCharacters: table.viewCharacters };
      refresh(table, known === undefined ? readAll(account) : sql.changed.all(account, table.upTo), account);
      seats += table.size - before.size + (known === undefined ? seatsPerTable : 0);
      viewCharacters += table.viewCharacters - before.viewCharacters;
      tables.delete(account);
      tables.set(account, table);
      forgetOldest();
      return table;
    },
    keepView(table, seat, text) {
      table.keepView(seat, text);
      viewCharacters += text.length;
      for (const other of tables.values()) {
        if (viewCharacters <= maxViewCharacters) return;
        viewCharacters -= other.viewCharacters;
        other.forgetViews();
      }
    },
  };
}
