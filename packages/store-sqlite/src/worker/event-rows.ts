import type { EventRecord } from "@chat21/engine";
import { eventTypeOf } from "./event-type-codes.ts";

/** Columns of a whole event; `e` is `event`. Put a `WHERE` behind it. */
export const selectEvent = `
  SELECT e.seq, e.type, e.timestamp, e.listed, s.name AS sender, h.name AS hidden_for,
    c.client_message_id, c.message_id, c.committed_at, c.body, c.temp_uid
  FROM event e
  JOIN event_content c ON c.position = e.position
  JOIN account s ON s.id = e.sender
  LEFT JOIN account h ON h.id = e.hidden_for`;

/** As {@link selectEvent}, from the log: `c` is `event_content`, and the conversation's names come with it. */
export const selectLoggedEvent = `
  SELECT v.app, v.name AS conversation, e.seq, e.type, e.timestamp, e.listed, s.name AS sender, h.name AS hidden_for,
    c.client_message_id, c.message_id, c.committed_at, c.body, c.temp_uid
  FROM event_content c
  JOIN event e ON e.conversation = c.conversation AND e.seq = c.seq
  JOIN conversation v ON v.id = c.conversation
  JOIN account s ON s.id = e.sender
  LEFT JOIN account h ON h.id = e.hidden_for`;

/** A row of SQLite. */
export type Row = Readonly<Record<string, unknown>>;

/** The event of a row of {@link selectEvent}. */
export function toEventRecord(row: Row, app: string, conversation: string): EventRecord {
  return {
    app,
    conversation,
    seq: row["seq"] as number,
    type: eventTypeOf(row["type"] as number),
    sender: row["sender"] as string,
    clientMessageId: row["client_message_id"] as string | null,
    messageId: row["message_id"] as string,
    timestamp: row["timestamp"] as number,
    committedAt: row["committed_at"] as number,
    body: row["body"] as string,
    tempUid: row["temp_uid"] as string | null,
    hiddenFor: row["hidden_for"] as string | null,
    listed: row["listed"] === 1,
  };
}

/** The event of a row of {@link selectLoggedEvent}. */
export function toLoggedEventRecord(row: Row): EventRecord {
  return toEventRecord(row, row["app"] as string, row["conversation"] as string);
}
