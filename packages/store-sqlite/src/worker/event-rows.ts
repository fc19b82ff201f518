import type { EventRecord } from "@chat21/engine";
import type { EventNames } from "./event-codes.ts";

/** Columns of a whole event; `e` is `event`. Put a `WHERE` behind it. */
export const selectEvent = `
  SELECT e.seq, e.position, e.type, e.timestamp, e.listed, s.name AS sender, h.name AS hidden_for,
    c.client_message_id, c.message_id, c.committed_at, c.body, c.temp_uid, o.overlay
  FROM event e
  JOIN event_content c ON c.position = e.position
  JOIN account s ON s.id = e.sender
  LEFT JOIN account h ON h.id = e.hidden_for
  LEFT JOIN overlay o ON o.conversation = e.conversation AND o.seq = e.seq`;

/** As {@link selectEvent}, from the log: `c` is `event_content`, and the conversation's names come with it. */
export const selectLoggedEvent = `
  SELECT v.app, v.name AS conversation, e.seq, e.type, e.timestamp, e.listed, s.name AS sender, h.name AS hidden_for,
    c.client_message_id, c.message_id, c.committed_at, c.body, c.temp_uid, o.overlay
  FROM event_content c
  JOIN event e ON e.conversation = c.conversation AND e.seq = c.seq
  JOIN conversation v ON v.id = c.conversation
  JOIN account s ON s.id = e.sender
  LEFT JOIN account h ON h.id = e.hidden_for
  LEFT JOIN overlay o ON o.conversation = e.conversation AND o.seq = e.seq`;

/** A row of SQLite. */
export type Row = Readonly<Record<string, unknown>>;

/** Events of rows. */
export interface EventRows {
  /** Of a row of {@link selectEvent}. */
  toEventRecord(row: Row, app: string, conversation: string): EventRecord;
  /** Of a row of {@link selectLoggedEvent}. */
  toLoggedEventRecord(row: Row): EventRecord;
}

/** Reads rows with the names of the kinds that the store was opened with. */
export function createEventRows({ nameOf }: EventNames): EventRows {
  const toEventRecord = (row: Row, app: string, conversation: string): EventRecord => ({
    app,
    conversation,
    seq: row["seq"] as number,
    type: nameOf(row["type"] as number),
    sender: row["sender"] as string,
    clientMessageId: row["client_message_id"] as string | null,
    messageId: row["message_id"] as string,
    timestamp: row["timestamp"] as number,
    committedAt: row["committed_at"] as number,
    body: row["body"] as string,
    tempUid: row["temp_uid"] as string | null,
    hiddenFor: row["hidden_for"] as string | null,
    listed: row["listed"] === 1,
    overlay: row["overlay"] as string | null,
  });
  return {
    toEventRecord,
    toLoggedEventRecord: (row) => toEventRecord(row, row["app"] as string, row["conversation"] as string),
  };
}
