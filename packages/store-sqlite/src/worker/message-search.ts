import type { DatabaseSync } from "node:sqlite";
import type { EventLog, EventRef, MessageSearch } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { ConversationIds } from "./conversation-ids.ts";
import { messageCode } from "./event-codes.ts";
import type { Row } from "./event-rows.ts";
import { StoreFailure } from "./failure.ts";

/** Numbers that one step looks at. Measured: 5,000 take 2 to 5 ms, and other reads wait that long at most. */
const stepSize = 5_000;

/** Messages that one step answers, at most. */
const maxFound = 500;

/** Searches for messages, step by step. */
export interface MessageSearches {
  findMessages(search: MessageSearch): Awaited<ReturnType<EventLog["findMessages"]>>;
}

function prepareStatements(database: DatabaseSync) {
  const isLeft = `e.type = ${messageCode} AND NOT EXISTS (
    SELECT 1 FROM overlay o WHERE o.conversation = e.conversation AND o.seq = e.seq AND o.erased = 1)`;
  return {
    inConversation: database.prepare(
      `SELECT e.seq AS place, e.seq FROM event e
       WHERE e.conversation = ? AND e.seq BETWEEN ? AND ? AND ifnull(e.sender = ?, 1) AND ${isLeft}
       ORDER BY e.seq LIMIT ${maxFound}`,
    ),
    head: database.prepare("SELECT max(seq) AS last FROM event WHERE conversation = ?"),
    inLog: database.prepare(
      `SELECT c.position AS place, c.seq, v.name FROM event_content c
       JOIN event e ON e.conversation = c.conversation AND e.seq = c.seq
       JOIN conversation v ON v.id = c.conversation
       WHERE c.position BETWEEN ? AND ? AND c.sender = ? AND ${isLeft} ORDER BY c.position LIMIT ${maxFound}`,
    ),
    lastLogPosition: database.prepare("SELECT max(position) AS last FROM event_content"),
  };
}

/** Works inside the caller's snapshot. A conversation is searched by its numbers, everything of a sender by the log's. */
export function createMessageSearch(
  database: DatabaseSync,
  accounts: Accounts,
  ids: ConversationIds,
): MessageSearches {
  const sql = prepareStatements(database);

  function findFrom(from: number, search: MessageSearch, account: number | null) {
    const { app, conversation } = search;
    const to = from + stepSize - 1;
    const id = conversation === undefined ? null : ids.find(app, conversation);
    if (conversation !== undefined && id === null) return { found: [], next: null };
    const rows: Row[] =
      id === null ? sql.inLog.all(from, to, account) : sql.inConversation.all(id, from, to, account);
    const last = (id === null ? sql.lastLogPosition.get() : sql.head.get(id))?.["last"] as number | null;
    const reached = rows.length === maxFound ? (rows.at(-1)?.["place"] as number) : to;
    const found = rows.map((row): EventRef => {
      return { app, conversation: conversation ?? (row["name"] as string), seq: row["seq"] as number };
    });
    return { found, next: reached < (last ?? 0) ? String(reached + 1) : null };
  }

  return {
    findMessages(search) {
      const { app, conversation, sender, from = "1" } = search;
      if (conversation === undefined && sender === undefined) {
        throw new StoreFailure("bad_request", "a search for messages needs a conversation or a sender");
      }
      if (!/^\d{1,15}$/.test(from)) throw new StoreFailure("invalid_cursor", "the search has no such place");
      const account = sender === undefined ? null : accounts.find(app, sender);
      if (sender !== undefined && account === null) return { found: [], next: null };
      return findFrom(Number(from), search, account);
    },
  };
}
