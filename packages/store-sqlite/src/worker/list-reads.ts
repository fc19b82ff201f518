import type { DatabaseSync } from "node:sqlite";
import type { ConversationQuery } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import { GreatestFirst } from "./greatest-first.ts";
import { type SeatTable, seatField } from "./seat-table.ts";
import type { SeatTables } from "./seat-tables.ts";
import type { ViewReads } from "./view-reads.ts";

/** A user's list. */
export interface ListReads {
  /**
   * `ConversationView[]` as JSON: a thread takes a text in less time than objects, and most of it was made for an
   * earlier list.
   */
  list(query: ConversationQuery): string;
}

/** Parts of {@link createListReads}. */
export interface ListParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly tables: SeatTables;
  readonly views: ViewReads;
}

/**
 * Works inside the caller's snapshot (ADR 0012). The conversations' order is kept in memory: the last listed event of a
 * conversation is never newer than its last event, and only conversations at the front of the page are looked at in the
 * database. The result is kept until the conversation's log goes on.
 */
export function createListReads({ database, accounts, tables, views }: ListParts): ListReads {
  const nameOf = database.prepare("SELECT name FROM conversation WHERE id = ?");

  /**
   * Looks up the conversation's last listed event. The result stays exact while the snapshot's last event is the last
   * one.
   */
  function lookUp(table: SeatTable, seat: number, account: number): void {
    const found = views.seat(table.get(seat, seatField.conversation), account);
    const last = found === null ? null : views.lastListed(found);
    table.set(seat, seatField.lastSeq, last?.seq ?? 0);
    table.set(seat, seatField.time, last?.timestamp ?? 0);
    table.set(seat, seatField.asOf, found?.end ?? 0);
  }

  /** Whether a seat that was looked up is on the list that is asked for; its time may be that of a bound. */
  function isListed(table: SeatTable, seat: number, { archived, before, after }: ConversationQuery): boolean {
    const last = table.get(seat, seatField.lastSeq);
    if (last === 0 || last <= table.get(seat, seatField.clearedAt)) return false;
    if (archived !== null && archived !== last <= table.get(seat, seatField.archivedAt)) return false;
    const time = table.get(seat, seatField.time);
    return time <= (before?.timestamp ?? time) && time >= (after?.timestamp ?? time);
  }

  /** Whether a seat that was not looked up may turn out to be on the list. */
  function mayBeListed(table: SeatTable, seat: number, { archived }: ConversationQuery): boolean {
    return archived !== true || table.get(seat, seatField.archivedAt) >= 0;
  }

  /** Listed seats in order of time. Seats that were not looked up are, as soon as one of them may be the next. */
  function* newestFirst(
    table: SeatTable,
    account: number,
    query: ConversationQuery,
  ): Generator<number, void> {
    const { exact, unsure } = table;
    const timeOf = (seat: number) => table.get(seat, seatField.time);
    const least = query.after?.timestamp ?? Number.NEGATIVE_INFINITY;
    const lookedUp: number[] = [];
    const found = new GreatestFirst();
    let next = exact.countBefore((query.before?.timestamp ?? Number.MAX_SAFE_INTEGER) + 1) - 1;
    let guess = unsure.size - 1;
    try {
      for (;;) {
        const timeOfExact = next < 0 ? Number.NEGATIVE_INFINITY : timeOf(exact.at(next));
        const time = Math.max(timeOfExact, found.greatest(), least);
        if (guess >= 0 && timeOf(unsure.at(guess)) >= time) {
          const seat = unsure.at(guess);
          guess -= 1;
          if (!mayBeListed(table, seat, query)) continue;
          lookUp(table, seat, account);
          lookedUp.push(seat);
          found.add(timeOf(seat), seat);
          continue;
        }
        const seat = timeOfExact === time ? exact.at(next) : found.take();
        if (timeOfExact === time) next -= 1;
        if (seat === undefined || timeOf(seat) < least) return;
        if (isListed(table, seat, query)) yield seat;
      }
    } finally {
      table.arrange(lookedUp);
    }
  }

  /** As {@link newestFirst}. Nothing is known of how old a seat may turn out to be, so all of them are looked up. */
  function* oldestFirst(
    table: SeatTable,
    account: number,
    query: ConversationQuery,
  ): Generator<number, void> {
    const { exact, unsure } = table;
    const unknown = Array.from({ length: unsure.size }, (_, index) => unsure.at(index));
    const lookedUp = unknown.filter((seat) => mayBeListed(table, seat, query));
    for (const seat of lookedUp) lookUp(table, seat, account);
    table.arrange(lookedUp);
    for (let at = exact.countBefore(query.after?.timestamp ?? 0); at < exact.size; at += 1) {
      const seat = exact.at(at);
      if (table.get(seat, seatField.time) > (query.before?.timestamp ?? Number.MAX_SAFE_INTEGER)) return;
      if (isListed(table, seat, query)) yield seat;
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
        const time = table.get(seat, seatField.time);
        if (time === before?.timestamp && !(name > (before.conversation ?? name))) return false;
        return time !== after?.timestamp || name < (after.conversation ?? name);
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ seat }) => seat);
  }

  /** The page's seats in the order of the list. */
  function takePage(table: SeatTable, account: number, query: ConversationQuery): number[] {
    const { limit, from = "newest", before, after } = query;
    const isNewestFirst = from === "newest";
    const page: number[] = [];
    let ofOneTime: number[] = [];
    let time = Number.NaN;
    const takeTime = () => {
      const isPlain = ofOneTime.length === 1 && time !== before?.timestamp && time !== after?.timestamp;
      const ordered = isPlain ? ofOneTime : orderByName(ofOneTime, table, query);
      page.push(...(isNewestFirst ? ordered : ordered.reverse()));
      ofOneTime = [];
    };
    for (const seat of (isNewestFirst ? newestFirst : oldestFirst)(table, account, query)) {
      if (table.get(seat, seatField.time) !== time) takeTime();
      if (page.length >= limit) break;
      time = table.get(seat, seatField.time);
      ofOneTime.push(seat);
    }
    takeTime();
    page.length = Math.min(page.length, limit);
    return isNewestFirst ? page : page.reverse();
  }

  /** What the list shows of a seat, as JSON. */
  function read(table: SeatTable, seat: number, account: number): string | null {
    const kept = table.view(seat);
    if (kept !== undefined) return kept;
    const found = views.seat(table.get(seat, seatField.conversation), account);
    if (found === null) return null;
    const last = { seq: table.get(seat, seatField.lastSeq), timestamp: table.get(seat, seatField.time) };
    const text = JSON.stringify(views.toListView(found, last));
    tables.keepView(table, seat, text);
    return text;
  }

  return {
    list(query) {
      const account = accounts.find(query.app, query.user);
      if (account === null) return "[]";
      const table = tables.of(account);
      const found = takePage(table, account, query).map((seat) => read(table, seat, account));
      return `[${found.filter((text) => text !== null).join(",")}]`;
    },
  };
}
