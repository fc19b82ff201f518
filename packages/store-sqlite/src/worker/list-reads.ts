import type { DatabaseSync } from "node:sqlite";
import type { ConversationQuery, ConversationView, ListBound } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { EndReads } from "./end-reads.ts";
import { GreatestFirst } from "./greatest-first.ts";
import type { SeatTable } from "./seat-table.ts";
import type { SeatTables } from "./seat-tables.ts";
import type { ViewReads } from "./view-reads.ts";

/** A user's list. */
export interface ListReads {
  list(query: ConversationQuery): ConversationView[];
}

/** What {@link createListReads} works on. */
export interface ListParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly ends: EndReads;
  readonly tables: SeatTables;
  readonly views: ViewReads;
}

/** A listed conversation. */
interface Place {
  readonly seat: number;
  readonly timestamp: number;
  readonly name: string;
}

/** `compareListed` of the protocol, for one time: by name. */
function byName(a: Place, b: Place): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Whether a place with the bound's own time lies on the far side of it. */
function isBeyond({ name }: Place, bound: ListBound | undefined, direction: 1 | -1): boolean {
  if (bound?.conversation === undefined) return false;
  return direction === 1 ? name > bound.conversation : name < bound.conversation;
}

/**
 * Works inside the caller's snapshot (ADR 0012). The conversations' order is decided on numbers in memory: the time of a
 * conversation's last event bounds that of its last listed one from above, and only what stands at the front of the page is
 * looked at in the database. What was looked at is kept until the conversation's log goes on.
 */
export function createListReads({ database, accounts, ends, tables, views }: ListParts): ListReads {
  const nameOf = database.prepare("SELECT name FROM conversation WHERE id = ?");

  const isExact = (table: SeatTable, seat: number) =>
    table.get(seat, "asOf") === ends.position(table.get(seat, "conversation"));

  /** Looks up what a list shows of the conversation. It stays exact while the snapshot's last event is the last one. */
  function lookUp(table: SeatTable, seat: number, account: number): void {
    const found = views.seat(table.get(seat, "conversation"), account);
    const last = found === null ? null : views.lastListed(found);
    table.set(seat, "lastSeq", last?.seq ?? 0);
    table.set(seat, "lastTimestamp", last?.timestamp ?? 0);
    table.set(seat, "asOf", found?.end ?? 0);
  }

  /** Whether a seat that was looked up is on the list that is asked for; its time may be that of a bound. */
  function isListed(table: SeatTable, seat: number, { archived, before, after }: ConversationQuery): boolean {
    const last = table.get(seat, "lastSeq");
    if (last === 0 || last <= table.get(seat, "clearedAt")) return false;
    if (archived !== null && archived !== last <= table.get(seat, "archivedAt")) return false;
    const timestamp = table.get(seat, "lastTimestamp");
    return timestamp <= (before?.timestamp ?? timestamp) && timestamp >= (after?.timestamp ?? timestamp);
  }

  /** Whether a seat that was not looked up may turn out to be on the list. */
  function mayBeListed(
    table: SeatTable,
    seat: number,
    { archived, after }: ConversationQuery,
    bound: number,
  ) {
    if (archived === true && table.get(seat, "archivedAt") < 0) return false;
    return after === undefined || bound >= after.timestamp;
  }

  /**
   * Seats that are listed, and the complements (`~seat`) of those that have to be looked up; the greatest first, by
   * `direction` times time.
   */
  function collect(
    table: SeatTable,
    account: number,
    query: ConversationQuery,
    direction: 1 | -1,
  ): GreatestFirst {
    const candidates = new GreatestFirst();
    for (let seat = 0; seat < table.size; seat += 1) {
      if (!isExact(table, seat)) {
        const bound = ends.timestamp(table.get(seat, "conversation"));
        if (!mayBeListed(table, seat, query, bound)) continue;
        if (direction === 1) {
          candidates.collect(bound, ~seat);
          continue;
        }
        // Nothing bounds it from below.
        lookUp(table, seat, account);
      }
      if (isListed(table, seat, query))
        candidates.collect(direction * table.get(seat, "lastTimestamp"), seat);
    }
    candidates.arrange();
    return candidates;
  }

  /** All that have the next time of the list. */
  function takeTime(
    candidates: GreatestFirst,
    table: SeatTable,
    account: number,
    query: ConversationQuery,
  ): Place[] {
    const places: Place[] = [];
    for (let key = Number.NEGATIVE_INFINITY; ; ) {
      if (places.length > 0 && candidates.greatest() !== key) return places;
      const greatest = candidates.greatest();
      const seat = candidates.take();
      if (seat === undefined) return places;
      if (seat < 0) {
        lookUp(table, ~seat, account);
        if (isListed(table, ~seat, query)) candidates.add(table.get(~seat, "lastTimestamp"), ~seat);
        continue;
      }
      key = greatest;
      const name = nameOf.get(table.get(seat, "conversation"))?.["name"] as string;
      places.push({ seat, timestamp: table.get(seat, "lastTimestamp"), name });
    }
  }

  function takePage(table: SeatTable, account: number, query: ConversationQuery): Place[] {
    const { limit, before, after, from = "newest" } = query;
    const direction = from === "newest" ? 1 : -1;
    const candidates = collect(table, account, query, direction);
    const page: Place[] = [];
    while (page.length < limit) {
      const places = takeTime(candidates, table, account, query);
      if (places.length === 0) break;
      const listed = places
        .filter((place) => place.timestamp !== before?.timestamp || isBeyond(place, before, 1))
        .filter((place) => place.timestamp !== after?.timestamp || isBeyond(place, after, -1))
        .sort((a, b) => direction * byName(a, b));
      page.push(...listed);
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
      for (const { seat } of takePage(table, account, query)) {
        const row = views.seat(table.get(seat, "conversation"), account);
        const last = { seq: table.get(seat, "lastSeq"), timestamp: table.get(seat, "lastTimestamp") };
        if (row !== null) found.push(views.toView(row, last));
      }
      return found;
    },
  };
}
