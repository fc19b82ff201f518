import type { EventRecord } from "@chat21/engine";
import mongoose from "mongoose";
import type { EventDocument } from "./documents.ts";

/** The server replaces it by its logical time when it inserts. */
const serverTime = mongoose.mongo.Timestamp.fromBits(0, 0);

/** The idempotency key as it stands in the index, `null` where the event has none. */
export function idempotencyKeyOf(event: EventRecord): NonNullable<EventDocument["key"]> | null {
  const { app, sender, clientMessageId } = event;
  return clientMessageId === null ? null : { app, sender, id: clientMessageId };
}

/** A new event, not yet dispatched: with a mark of its own, or of a writer with a cursor. */
export function toEventDocument(event: EventRecord, writer: number | null): EventDocument {
  const { app, conversation, seq, type, sender, messageId, tempUid, hiddenFor } = event;
  const key = idempotencyKeyOf(event);
  return {
    _id: { app, conversation, seq },
    type,
    sender,
    ...(key === null ? {} : { key }),
    names: tempUid === null ? [messageId] : [messageId, tempUid],
    timestamp: event.timestamp,
    committedAt: event.committedAt,
    at: serverTime,
    body: event.body,
    ...(hiddenFor === null ? {} : { hiddenFor }),
    listed: event.listed,
    ...(writer === null ? { undispatched: serverTime } : { by: writer }),
  };
}

/** The record of a stored event. */
export function toEventRecord(document: EventDocument): EventRecord {
  const { _id, type, sender, key, names, timestamp, committedAt, body, hiddenFor, listed, overlay } =
    document;
  return {
    app: _id.app,
    conversation: _id.conversation,
    seq: _id.seq,
    type,
    sender,
    clientMessageId: key?.id ?? null,
    messageId: names[0] ?? "",
    timestamp,
    committedAt,
    body,
    tempUid: names[1] ?? null,
    hiddenFor: hiddenFor ?? null,
    listed,
    overlay: overlay ?? null,
  };
}
