import type { ChatError, Message } from "@chat21/protocol";

/**
 * State of a message. The user's own messages: `queued` (in the outbox), `sending` (handed to the connection), `sent`
 * (the server has stored and numbered it), `delivered` (on a device of the counterpart), `read`, or `failed`. Messages
 * of others, and info messages, are `received`. In groups the user's own messages stay `sent`.
 */
export type MessageState = "queued" | "sending" | "sent" | "delivered" | "read" | "failed" | "received";

/** A message in the SDK. Immutable: a change makes a new object, so that `===` tells whether it changed. */
export interface ChatMessage {
  /** The same for the whole life of the message, also before the server has numbered it: fit for a list's key. */
  readonly key: string;
  /** The counterpart's or the group's id. */
  readonly conversWith: string;
  /** 1..n inside the conversation; `null` until the server has numbered it. Order by it, never by `timestamp`. */
  readonly seq: number | null;
  /** `null` until the server has stored it, and for a message that was deleted before this client saw it. */
  readonly messageId: string | null;
  /** The sender's idempotency key; `null` when the sender gave none. */
  readonly clientMessageId: string | null;
  readonly sender: string;
  /** The sender's own name in the message; not verified. The id when absent. */
  readonly senderFullname: string;
  readonly recipient: string;
  readonly recipientFullname: string;
  /** `""` when absent. */
  readonly text: string;
  /** `text`, `image`, `file` … Opaque to the server. `"text"` when absent. */
  readonly type: string;
  /** Milliseconds, by the server's clock; by this device's clock while the message is not stored yet. */
  readonly timestamp: number;
  /** `{}` when absent or null. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly metadata: unknown;
  /** Whether this user sent it, from any device. */
  readonly own: boolean;
  readonly state: MessageState;
  /** The reason of the failure; `null` in every other state. */
  readonly error: ChatError | null;
  /**
   * The message was deleted. It keeps its place, its `key` and its sender; `text` is `""`, `attributes` is `{}`,
   * `metadata` and `wire` are `null`.
   */
  readonly deleted: boolean;
  /** The message exactly as the server sent it, with keys this version does not know; `null` until then. */
  readonly wire: Message | null;
}

/** Content of a message to send. Every field is optional; keys beyond these travel in `extra`. */
export interface MessageDraft {
  readonly text?: string;
  /** @default "text" */
  readonly type?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>> | string | readonly unknown[];
  /** The recipient's name, for clients that show the message's own names. @default the known title or the id */
  readonly recipientFullname?: string;
  /** @default the `fullname` option of `connect` */
  readonly senderFullname?: string;
  /** Further keys of the wire's message; they pass through untouched. Keys of the server are refused. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Settings of a send. */
export interface SendOptions {
  /**
   * Idempotency key, 1-64 characters of the id alphabet. A key is stored once, for ever; the same key with another
   * payload is refused with `idempotency_conflict`. @default a new ULID
   */
  readonly clientMessageId?: string;
}

/** The server's answer to a sent message. */
export interface SentMessage {
  readonly seq: number;
  readonly messageId: string;
  /** Milliseconds, the server's. */
  readonly timestamp: number;
  readonly message: ChatMessage;
}
