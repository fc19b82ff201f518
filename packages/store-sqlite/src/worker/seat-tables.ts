import type { DatabaseSync } from "node:sqlite";
import type { Row } from "./event-rows.ts";
import { SeatTable, seatField } from "./seat-table.ts";

/** Seats that stay in memory, of all accounts together: 32 MiB. */
const maxSeats = 500_000;

/** The seats of accounts on the connection that reads, as of the caller's snapshot. */
export interface SeatTables {
  of(account: number): SeatTable;
  /** The newest change in the snapshot that may concern the account. */
  lastChange(account: number): number;
}

function prepareStatements(database: DatabaseSync) {
  const columns = `conversation, archived_at, cleared_at, changed, substr(intervals, -6) = 'null]]' AS open`;
  return {
    all: database.prepare(`SELECT ${columns} FROM member WHERE account = ? ORDER BY conversation`),
    changed: database.prepare(`SELECT ${columns} FROM member WHERE account = ? AND changed > ?`),
    lastChanged: database.prepare("SELECT max(changed) AS last FROM member WHERE account = ?"),
    lastLogPosition: database.prepare("SELECT max(position) AS last FROM event_content"),
  };
}

/**
 * A table is read whole once. Every change of a member's row has a number, so that later only rows with a higher number
 * are read. No other thread has to say which rows are out of date.
 */
export function createSeatTables(database: DatabaseSync): SeatTables {
  const sql = prepareStatements(database);
  /** In order of use: the table used last stands last. */
  const tables = new Map<number, SeatTable>();
  let seats = 0;

  function put(table: SeatTable, row: Row): void {
    const seat = table.seatIn(row["conversation"] as number);
    table.set(seat, seatField.archivedAt, (row["archived_at"] ?? -1) as number);
    table.set(seat, seatField.clearedAt, row["cleared_at"] as number);
    table.set(seat, seatField.changed, row["changed"] as number);
    table.set(seat, seatField.endedAt, row["open"] === 1 ? 0 : -1);
    table.set(seat, seatField.asOf, 0);
  }

  function forgetOldest(): void {
    for (const [account, { size }] of tables) {
      if (seats <= maxSeats || tables.size === 1) return;
      tables.delete(account);
      seats -= size;
    }
  }

  function lastChange(account: number): number {
    const changed = Number(sql.lastChanged.get(account)?.["last"] ?? 0);
    return Math.max(changed, Number(sql.lastLogPosition.get()?.["last"] ?? 0));
  }

  return {
    lastChange,
    of(account) {
      const known = tables.get(account);
      const table = known ?? new SeatTable();
      const rows = known === undefined ? sql.all.all(account) : sql.changed.all(account, known.upTo);
      const before = table.size;
      for (const row of rows) put(table, row);
      table.upTo = lastChange(account);
      seats += table.size - (known === undefined ? 0 : before);
      tables.delete(account);
      tables.set(account, table);
      forgetOldest();
      return table;
    },
  };
}
