import type { Unsubscribe } from "./emitter.ts";
import type { ChatMessage, MessageDraft, SendOptions, SentMessage } from "./message.ts";

/** Everything up to `delivered` is on one of the user's devices, everything up to `read` was seen. */
export interface Watermarks {
  readonly delivered: number;
  readonly read: number;
}

/** A conversation as a list shows it. Immutable: a change makes a new object. */
export interface ConversationSummary {
  /** The counterpart's or the group's id. */
  readonly conversWith: string;
  readonly kind: "direct" | "group" | "channel";
  /** The group's name, or the counterpart's own name in its messages; the id when neither is known. */
  readonly title: string;
  /**
   * The newest message that belongs into a list; `null` without one. Its text is cut after 1,000 characters when the
   * message is not held.
   */
  readonly lastMessage: ChatMessage | null;
  /** Time of `lastMessage`, milliseconds; 0 without one. */
  readonly timestamp: number;
  /**
   * Messages of others beyond the read watermark that a list may show. Messages of the system and deleted messages do
   * not count. Counted up to 1,000.
   */
  readonly unread: number;
  /** The user marked it as unread by hand; reading clears it. */
  readonly markedUnread: boolean;
  readonly archived: boolean;
  /** Highest number that this client knows of. */
  readonly head: number;
  /** The user's own watermarks. */
  readonly own: Watermarks;
  /** The counterpart's; `null` in groups. */
  readonly counterpart: Watermarks | null;
}

/** Selects a page of the history. Bounds are a message's `seq`, exclusive. */
export interface HistoryQuery {
  readonly before?: number;
  readonly after?: number;
  /** Events to look at, 1-1,000. @default 50 */
  readonly limit?: number;
}

/** A page of history, oldest first. */
export interface HistoryPage {
  readonly messages: readonly ChatMessage[];
  /** Pass it as `before` to go on; `null` when the beginning is reached. */
  readonly before: number | null;
}

/**
 * One conversation, live. `chat.conversation(id)` answers the same object for the same id; it exists before the first
 * message does.
 */
export interface Conversation {
  readonly conversWith: string;
  /** As in the list. Stable between changes. */
  readonly summary: ConversationSummary;
  /**
   * The held messages: numbered ones ascending by `seq` without a gap, then the user's own that are not stored yet, in
   * send order. The array is stable between changes (fit for `useSyncExternalStore`). Nothing is loaded until it is read
   * for the first time: where none is held then, as after a restart, the newest page is loaded and told. So a list may
   * hold a conversation for each of its rows.
   */
  readonly messages: readonly ChatMessage[];
  /** Whether `loadOlder` can find more. */
  readonly hasOlder: boolean;
  /** Other users who are typing now. Stable between changes. */
  readonly typing: readonly string[];
  /** Calls `listener` after any of the above changed, at most once a microtask. */
  subscribe(listener: () => void): Unsubscribe;
  /** See {@link Chat.send}. */
  send(draft: MessageDraft, options?: SendOptions): Promise<SentMessage>;
  /** Extends `messages` towards the beginning; answers the added ones. One request at a time: calls are joined. */
  loadOlder(limit?: number): Promise<readonly ChatMessage[]>;
  /** Reads a page without holding it. */
  history(query?: HistoryQuery): Promise<HistoryPage>;
  /**
   * Marks everything up to `seq` as seen. Never rejects: the mark is kept in the storage until the server has
   * confirmed it, and sent at most once a second; also by a later client with this storage. @default everything
   */
  markRead(seq?: number): void;
  /** Shows the conversation as unread again, on all devices, until it is read. */
  markUnread(): Promise<void>;
  /**
   * Erases a message for everybody, on all devices: it stays in `messages` as `deleted`, with its number. Resolves when
   * the server has done it. Rejects with `forbidden` (neither its sender nor the group's owner), `not_found` (no such
   * message, or erased before), `connection_lost` or `timeout`.
   */
  erase(seq: number): Promise<void>;
  /** Moves the conversation to the archive until its next message. */
  archive(): Promise<void>;
  /**
   * Tells the others that this user types. Call it on every key press: it is sent at most every 3 s. Typing ends by
   * itself 6 s after the last call, with `false`, or with the next send.
   */
  setTyping(typing: boolean): void;
}

/** The conversation lists. */
export interface Conversations {
  /** The newest last message first; at equal times by the conversation's id. The array is stable between changes. */
  list(options?: { readonly archived?: boolean }): readonly ConversationSummary[];
  /** `undefined` for a conversation without messages. */
  get(conversWith: string): ConversationSummary | undefined;
  /** Unread messages of all active conversations. */
  readonly unread: number;
  /** Calls `listener` after a list changed, at most once a microtask. */
  subscribe(listener: () => void): Unsubscribe;
  /** See {@link Conversation.archive}. */
  archive(conversWith: string): Promise<void>;
  /** Takes it out of the archive, on all devices. No effect on a conversation that is not archived. */
  unarchive(conversWith: string): Promise<void>;
  /** See {@link Conversation.markRead}. */
  markRead(conversWith: string, seq?: number): void;
  /** See {@link Conversation.markUnread}. */
  markUnread(conversWith: string): Promise<void>;
}
