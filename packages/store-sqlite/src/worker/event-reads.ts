import type { DatabaseSync } from "node:sqlite";
import type { EventRange, EventRecord } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { ConversationIds } from "./conversation-ids.ts";
import type { EventNames } from "./event-codes.ts";
import { type EventRows, selectEvent, selectLoggedEvent } from "./event-rows.ts";
import { toIntervals } from "./member-rows.ts";
import { nameHash } from "./name-hash.ts";
import { clip, type Span } from "./spans.ts";

/** Reads of the log. */
export interface EventReads {
  readEvents(range: EventRange): EventRecord[];
  findEvent(app: string, conversation: string, id: string, among?: number): EventRecord | null;
  findByClientMessageId(app: string, sender: string, clientMessageId: string): EventRecord | null;
}

/** An account number that nobody has. */
const nobody = -1;

/** Parts of {@link createEventReads}. */
export interface EventReadParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly ids: ConversationIds;
  readonly names: EventNames;
  readonly rows: EventRows;
}

function prepareStatements(database: DatabaseSync) {
  const inSpan = `${selectEvent}
    WHERE e.conversation = ? AND e.seq BETWEEN ? AND ? AND (? & (1 << e.type)) <> 0 AND ifnull(e.hidden_for, -2) <> ?
      AND ifnull(o.erased, 0) <= ?
    ORDER BY e.seq`;
  return {
    ascending: database.prepare(`${inSpan} LIMIT ?`),
    descending: database.prepare(`${inSpan} DESC LIMIT ?`),
    intervals: database.prepare("SELECT intervals FROM member WHERE account = ? AND conversation = ?"),
    // `seq` is the key, so the search ends at the bound without a look at what lies below.
    hashed: database.prepare(
      `SELECT seq FROM event
      WHERE conversation = :conversation
        AND seq > (SELECT max(seq) FROM event WHERE conversation = :conversation) - :among
        AND (message_hash = :hash OR temp_hash = :hash)
      ORDER BY seq DESC`,
    ),
    at: database.prepare(`${selectEvent} WHERE e.conversation = ? AND e.seq = ?`),
    keyed: database.prepare(`${selectLoggedEvent} WHERE c.sender = ? AND c.client_message_id = ?`),
  };
}

/** Works inside the caller's snapshot. */
export function createEventReads({ database, accounts, ids, names, rows }: EventReadParts): EventReads {
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
    const mask = names.maskOf(range.types);
    const maxErased = range.withoutErased === true ? 0 : 1;
    let room = range.characters ?? Number.POSITIVE_INFINITY;
    const events: EventRecord[] = [];
    const answer = () => (newest ? events.reverse() : events);
    for (const [from, to] of newest ? spans.reverse() : spans) {
      const left = limit - events.length;
      if (left <= 0) break;
      for (const row of statement.iterate(id, from, to, mask, viewer ?? nobody, maxErased, left)) {
        room -= (row["body"] as string).length;
        if (room < 0 && events.length > 0) return answer();
        events.push(rows.toEventRecord(row, app, conversation));
      }
    }
    return answer();
  }

  return {
    readEvents,
    findEvent(app, conversation, id, among = Number.MAX_SAFE_INTEGER) {
      const found = ids.find(app, conversation);
      if (found === null) return null;
      const hash = nameHash(id);
      for (const { seq } of sql.hashed.iterate({ conversation: found, among, hash })) {
        const row = sql.at.get(found, seq as number);
        if (row?.["message_id"] === id || row?.["temp_uid"] === id)
          return rows.toEventRecord(row, app, conversation);
      }
      return null;
    },
    findByClientMessageId(app, sender, clientMessageId) {
      const account = accounts.find(app, sender);
      const row = account === null ? undefined : sql.keyed.get(account, clientMessageId);
      return row === undefined ? null : rows.toLoggedEventRecord(row);
    },
  };
}
