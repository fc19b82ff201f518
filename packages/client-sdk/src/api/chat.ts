import type { ChatError } from "@chat21/protocol";
import type { Conversation, Conversations } from "./conversation.ts";
import type { Unsubscribe } from "./emitter.ts";
import type { ChatEvents } from "./events.ts";
import type { Groups } from "./groups.ts";
import type { ChatMessage, MessageDraft, SendOptions, SentMessage } from "./message.ts";
import type { PresenceDirectory } from "./presence.ts";
import type { Status } from "./status.ts";

/** Messages that the server has not stored yet. */
export interface Outbox {
  /** Waiting or on the way, and failed ones, in send order. Stable between changes. */
  list(): readonly ChatMessage[];
  /** Number of messages that wait or are on the way. */
  readonly pending: number;
  /** Sends a failed message again, behind the waiting ones. No effect on others. */
  retry(clientMessageId: string): void;
  /** Discards a message. One that is on the way may have been stored already; then it stays. */
  discard(clientMessageId: string): Promise<void>;
}

/** The signed-in user. */
export interface ChatUser {
  readonly id: string;
  /** The name in the user's messages. */
  readonly fullname: string;
}

/** A signed-in client: one user, one device, one connection. */
export interface Chat {
  readonly app: string;
  readonly user: ChatUser;
  readonly status: Status;
  /** The server's clock, milliseconds, by its last answer; this device's clock before the first one. */
  readonly serverNow: number;
  /** Resolves when the client is closed for good: with the reason, or `null` after `close()`. Never rejects. */
  readonly closed: Promise<ChatError | null>;
  readonly conversations: Conversations;
  readonly groups: Groups;
  readonly outbox: Outbox;
  readonly presence: PresenceDirectory;
  /**
   * Names by id, from the profiles on the server: what people are called, whatever their messages say. Who has no name
   * there, or none that this user may read, is not in the map.
   */
  names(users: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The same object for the same id. */
  conversation(conversWith: string): Conversation;
  /**
   * Sends to a user or a group. The message is in the outbox and in `conversation(to).messages` at once. It is sent in
   * order, again after every loss of the connection, and stored exactly once. Resolves when the sender's own copy came
   * back. Rejects with a `ChatError`: a refusal of the server (`forbidden`, `not_member`, `payload_too_large`,
   * `idempotency_conflict`, …; then the message is `failed`), `bad_request` and `invalid_id` for a caller's mistake,
   * `connection_lost` when the client is closed first (a durable storage keeps the message).
   */
  send(to: string, draft: MessageDraft, options?: SendOptions): Promise<SentMessage>;
  /** Calls `handler` for every event of that name. A handler that throws does not disturb the others. */
  on<Name extends keyof ChatEvents>(name: Name, handler: (event: ChatEvents[Name]) => void): Unsubscribe;
  /**
   * Resolves when nothing waits any more: outbox empty except for failed messages, watermarks confirmed, storage
   * written.
   */
  flush(): Promise<void>;
  /**
   * Goes offline and ends all timers. Marks that wait for their turn are sent first; unsent messages and unconfirmed
   * marks stay in the storage. Idempotent.
   */
  close(): Promise<void>;
}
