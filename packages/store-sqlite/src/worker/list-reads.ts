import type { DatabaseSync } from "node:sqlite";
import type { ConversationQuery, ConversationView } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { EndReads } from "./end-reads.ts";
import { Greatest, GreatestFirst } from "./greatest-first.ts";
import { type SeatTable, seatField } from "./seat-table.ts";
import type { SeatTables } from "./seat-tables.ts";
import type { ViewReads } from "./view-reads.ts";

/** A user's list. */
export interface ListReads {
  list(query: ConversationQuery): ConversationView[];
}

/** Parts of {@link createListReads}. */
export interface ListParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly ends: EndReads;
  readonly tables: SeatTables;
  readonly views: ViewReads;
}

/**
 * Works inside the caller's snapshot (ADR 0012). The conversations' order is decided on numbers in memory: the last
 * listed event of a conversation is never newer than its last event, and only conversations at the front of the page
 * are looked at in the database. The result is kept until the conversation's log goes on.
 */
export function createListReads({ database, accounts, ends, tables, views }: ListParts): ListReads {
  const nameOf = database.prepare("SELECT name FROM conversation WHERE id = ?");

  const isExact = (table: SeatTable, seat: number) =>
    table.get(seat, seatField.asOf) === ends.logPosition(table.get(seat, seatField.conversation));

  /**
   * Looks up the conversation's last listed event. The result stays exact while the snapshot's last event is the last
   * one.
   */
  function lookUp(table: SeatTable, seat: number, account: number): void {
    const found = views.seat(table.get(seat, seatField.conversation), account);
    const last = found === null ? null : views.lastListed(found);
    table.set(seat, seatField.lastSeq, last?.seq ?? 0);
    table.set(seat, seatField.lastTimestamp, last?.timestamp ?? 0);
    table.set(seat, seatField.asOf, found?.end ?? 0);
  }

  /** Whether a seat that was looked up is on the list that is asked for; its time may be that of a bound. */
  function isListed(table: SeatTable, seat: number, { archived, before, after }: ConversationQuery): boolean {
    const last = table.get(seat, seatField.lastSeq);
    if (last === 0 || last <= table.get(seat, seatField.clearedAt)) return false;
    if (archived !== null && archived !== last <= table.get(seat, seatField.archivedAt)) return false;
    const timestamp = table.get(seat, seatField.lastTimestamp);
    return timestamp <= (before?.timestamp ?? timestamp) && timestamp >= (after?.timestamp ?? timestamp);
  }

  /** Whether a seat that was not looked up may turn out to be on the list. */
  function mayBeListed(
    table: SeatTable,
    seat: number,
    { archived, after }: ConversationQuery,
    bound: number,
  ) {
    if (archived === true && table.get(seat, seatField.archivedAt) < 0) return false;
    return after === undefined || bound >= after.timestamp;
  }

  /** Whether an exact place is on the page's side of both bounds, whatever its name is. */
  function isInside(timestamp: number, { before, after }: ConversationQuery): boolean {
    return timestamp !== before?.timestamp && timestamp !== after?.timestamp;
  }

  /**
   * Seats that may be on the page: those that are listed, and the complements (`~seat`) of those that have to be looked up;
   * the greatest first, by `direction` times time.
   */
  function collect(
    table: SeatTable,
    account: number,
    query: ConversationQuery,
    direction: 1 | -1,
  ): GreatestFirst {
    // A seat is not on the page when as many listed seats as the page holds come before it. The newest conversations
    // come last.
    const page = new Greatest(query.limit);
    let { least } = page;
    const candidates = new GreatestFirst();
    for (let seat = table.size - 1; seat >= 0; seat -= 1) {
      if (!isExact(table, seat)) {
        const bound = ends.timestamp(table.get(seat, seatField.conversation));
        if ((direction === 1 && bound < least) || !mayBeListed(table, seat, query, bound)) continue;
        if (direction === 1) {
          candidates.collect(bound, ~seat);
          continue;
        }
        // Its time has no lower bound.
        lookUp(table, seat, account);
      }
      const timestamp = table.get(seat, seatField.lastTimestamp);
      if (direction * timestamp < least || !isListed(table, seat, query)) continue;
      candidates.collect(direction * timestamp, seat);
      if (isInside(timestamp, query)) least = page.add(direction * timestamp);
    }
    candidates.arrange(least);
    return candidates;
  }

  /** All seats that have the next time of the list. */
  function takeTime(
    candidates: GreatestFirst,
    table: SeatTable,
    account: number,
    query: ConversationQuery,
  ): number[] {
    const seats: number[] = [];
    for (let key = Number.NEGATIVE_INFINITY; ; ) {
      const greatest = candidates.greatest();
      if (seats.length > 0 && greatest !== key) return seats;
      const seat = candidates.take();
      if (seat === undefined) return seats;
      if (seat >= 0) {
        key = greatest;
        seats.push(seat);
        continue;
      }
      lookUp(table, ~seat, account);
      if (isListed(table, ~seat, query)) candidates.add(table.get(~seat, seatField.lastTimestamp), ~seat);
    }
  }

  /** Seats of one time, by name, that lie on the right sides of the bounds. */
  function orderByName(
    seats: readonly number[],
    table: SeatTable,
    { before, after }: ConversationQuery,
  ): number[] {
    return seats
      .map((seat) => ({
        seat,
        name: nameOf.get(table.get(seat, seatField.conversation))?.["name"] as string,
      }))
      .filter(({ seat, name }) => {
        const timestamp = table.get(seat, seatField.lastTimestamp);
        if (timestamp === before?.timestamp && !(name > (before.conversation ?? name))) return false;
        return timestamp !== after?.timestamp || name < (after.conversation ?? name);
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ seat }) => seat);
  }

  /** The page's seats in the order of the list. */
  function takePage(table: SeatTable, account: number, query: ConversationQuery): number[] {
    const { limit, from = "newest" } = query;
    const direction = from === "newest" ? 1 : -1;
    const candidates = collect(table, account, query, direction);
    const page: number[] = [];
    while (page.length < limit) {
      const seats = takeTime(candidates, table, account, query);
      const [first] = seats;
      if (first === undefined) break;
      const isPlain = seats.length === 1 && isInside(table.get(first, seatField.lastTimestamp), query);
      const ordered = isPlain ? seats : orderByName(seats, table, query);
      page.push(...(direction === 1 ? ordered : ordered.reverse()));
    }
    page.length = Math.min(page.length, limit);
    return direction === 1 ? page : page.reverse();
  }

  return {
    list(query) {
      const account = accounts.find(query.app, query.user);
      if (account === null) return [];
      const table = tables.of(account);
      const found: ConversationView[] = [];
      for (const seat of takePage(table, account, query)) {
        const row = views.seat(table.get(seat, seatField.conversation), account);
        const last = {
          seq: table.get(seat, seatField.lastSeq),
          timestamp: table.get(seat, seatField.lastTimestamp),
        };
        if (row !== null) found.push(views.toView(row, last));
      }
      return found;
    },
  };
}
