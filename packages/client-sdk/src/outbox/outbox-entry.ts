import type { ErrorCode } from "@chat21/protocol";
import { ChatError, messageStatus } from "@chat21/protocol";
import type { ChatMessage, MessageState, SentMessage } from "../api/message.ts";
import { projectMessage } from "../conversation/project-message.ts";

/** An unsent message in a storage. */
export interface OutboxRecord {
  readonly to: string;
  /** P1, without `client_message_id` and `device`. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly clientMessageId: string;
  /** Send order. */
  readonly order: number;
  /** Milliseconds of this device's clock. */
  readonly createdAt: number;
  /** The reason of a final refusal by the server. */
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
}

/** A caller that waits for the outcome. */
interface Waiter {
  readonly resolve: (sent: SentMessage) => void;
  readonly reject: (error: ChatError) => void;
}

/** A message on its way. */
export interface OutboxEntry {
  record: OutboxRecord;
  state: Exclude<MessageState, "received">;
  /** The message is in the storage; it is only sent after that. */
  persisted: boolean;
  /** The message as conversations show it. */
  message: ChatMessage;
  readonly waiters: Waiter[];
}

/** An entry for a record. */
export function createEntry(record: OutboxRecord, user: string, persisted: boolean): OutboxEntry {
  const { failure } = record;
  const state = failure === undefined ? "queued" : "failed";
  const error = failure === undefined ? null : new ChatError(failure.code, failure.message);
  return { record, state, persisted, waiters: [], message: projectRecord(record, user, state, error) };
}

/** Changes an entry's state, and the message that conversations show. */
export function setEntryState(
  entry: OutboxEntry,
  state: OutboxEntry["state"],
  error: ChatError | null = null,
): void {
  entry.state = state;
  entry.message = { ...entry.message, state, error };
}

function projectRecord(
  { to, body, clientMessageId, createdAt }: OutboxRecord,
  user: string,
  state: MessageState,
  error: ChatError | null,
): ChatMessage {
  const wire = {
    ...body,
    message_id: clientMessageId,
    client_message_id: clientMessageId,
    sender: user,
    recipient: to,
    app_id: "",
    timestamp: createdAt,
    status: messageStatus.sending,
  };
  const message = projectMessage(wire, { user, conversWith: to, counterpart: null });
  return { ...message, messageId: null, state, error, wire: null };
}
