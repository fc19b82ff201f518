import type { DatabaseSync } from "node:sqlite";
import type { EventRange, EventRecord } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { ConversationIds } from "./conversation-ids.ts";
import { selectEvent, selectLoggedEvent, toEventRecord, toLoggedEventRecord } from "./event-rows.ts";
import { eventTypeMask } from "./event-type-codes.ts";
import { toIntervals } from "./member-rows.ts";
import { nameHash } from "./name-hash.ts";
import { clip, type Span } from "./spans.ts";

/** Reads of the log. */
export interface EventReads {
  readEvents(range: EventRange): EventRecord[];
  findEvent(app: string, conversation: string, id: string): EventRecord | null;
  findByClientMessageId(app: string, sender: string, clientMessageId: string): EventRecord | null;
}

/** An account number that nobody has. */
const nobody = -1;

function prepareStatements(database: DatabaseSync) {
  const inSpan = `${selectEvent}
    WHERE e.conversation = ? AND e.seq BETWEEN ? AND ? AND (? & (1 << e.type)) <> 0 AND ifnull(e.hidden_for, -2) <> ?
    ORDER BY e.seq`;
  return {
    ascending: database.prepare(`${inSpan} LIMIT ?`),
    descending: database.prepare(`${inSpan} DESC LIMIT ?`),
    intervals: database.prepare("SELECT intervals FROM member WHERE account = ? AND conversation = ?"),
    hashed: database.prepare(
      `SELECT seq FROM event WHERE conversation = ? AND (message_hash = ? OR temp_hash = ?) ORDER BY seq DESC`,
    ),
    at: database.prepare(`${selectEvent} WHERE e.conversation = ? AND e.seq = ?`),
    keyed: database.prepare(`${selectLoggedEvent} WHERE c.sender = ? AND c.client_message_id = ?`),
  };
}

/** Works inside the caller's snapshot. */
export function createEventReads(
  database: DatabaseSync,
  accounts: Accounts,
  ids: ConversationIds,
): EventReads {
  const sql = prepareStatements(database);

  function spansOf(conversation: number, viewer: number | null, from: number, to: number): Span[] {
    if (viewer === null) return clip([[1, null]], from, to);
    const row = sql.intervals.get(viewer, conversation);
    return row === undefined ? [] : clip(toIntervals(row), from, to);
  }

  function readEvents(range: EventRange): EventRecord[] {
    const { app, conversation, after = 0, before = Number.MAX_SAFE_INTEGER, limit, visibleTo } = range;
    const id = ids.find(app, conversation);
    const viewer = visibleTo === undefined ? null : (accounts.find(app, visibleTo) ?? nobody);
    if (id === null) return [];
    const newest = range.from === "newest";
    const statement = newest ? sql.descending : sql.ascending;
    const spans = spansOf(id, viewer, after + 1, before - 1);
    const events: EventRecord[] = [];
    for (const [from, to] of newest ? spans.reverse() : spans) {
      const mask = eventTypeMask(range.types);
      const rows = statement.all(id, from, to, mask, viewer ?? nobody, limit - events.length);
      for (const row of rows) events.push(toEventRecord(row, app, conversation));
      if (events.length >= limit) break;
    }
    return newest ? events.reverse() : events;
  }

  return {
    readEvents,
    findEvent(app, conversation, id) {
      const found = ids.find(app, conversation);
      if (found === null) return null;
      const hash = nameHash(id);
      for (const { seq } of sql.hashed.iterate(found, hash, hash)) {
        const row = sql.at.get(found, seq as number);
        if (row?.["message_id"] === id || row?.["temp_uid"] === id)
          return toEventRecord(row, app, conversation);
      }
      return null;
    },
    findByClientMessageId(app, sender, clientMessageId) {
      const account = accounts.find(app, sender);
      const row = account === null ? undefined : sql.keyed.get(account, clientMessageId);
      return row === undefined ? null : toLoggedEventRecord(row);
    },
  };
}
