import type { SyncRequest } from "@chat21/protocol";
import type { EdgeHandler } from "./ports/edge.ts";

/** The user on whose behalf something is done. A token's identity is an actor. */
export interface Actor {
  readonly app: string;
  readonly user: string;
  /** May act for every user of its app. */
  readonly admin: boolean;
}

/** Text of a JSON value, exactly as it goes over the wire. */
export type JsonText = string;

/** A message to send. */
export interface SendRequest {
  /** A user's or a group's id. */
  readonly recipient: string;
  /** The message as the wire's P1 has it: a JSON object, at most 100 KiB, 32 levels deep. */
  readonly body: JsonText;
  /** Admins only: who sends. @default the actor */
  readonly sender?: string;
}

/** The outcome of a send. The same idempotency key always gets the same answer. */
export interface SentMessage {
  readonly messageId: string;
  readonly seq: number;
  readonly epoch: string;
  /** Milliseconds. */
  readonly timestamp: number;
  /** The idempotency key had been used before: nothing new was stored. */
  readonly repeated: boolean;
  /** The sender's copy. */
  readonly message: JsonText;
}

/** A page of a list. `before` and `after` are exclusive. */
export interface Page {
  /** 1-1,000. @default 200 */
  readonly limit?: number;
  readonly before?: number;
  readonly after?: number;
}

/**
 * Items of an answer, read step by step while they are taken. So no answer is whole in memory, and a reader that stops
 * costs nothing more. An answer ends at `limits.answerBytes` at the latest, but has at least one item. The returned
 * value is the cursor of the next page, `null` where nothing is left. Refusals are thrown before the first item.
 */
export type JsonItems = AsyncGenerator<JsonText, string | null>;

/** A page of a conversation list. At most one of `before`, `after` and `cursor` goes with `limit`. */
export interface ListPage extends Page {
  /**
   * The cursor that the page before returned: this page begins behind that one. Throws `invalid_cursor` for any other
   * text.
   */
  readonly cursor?: string;
}

/** Sending and reading messages. */
export interface MessageOperations {
  /**
   * Resolves when the message is committed, delivered and handed over to events. Throws `ChatError`: `bad_request`,
   * `invalid_id`, `payload_too_large`, `not_member`, `forbidden`, `idempotency_conflict`, `rate_limited`,
   * `store_unavailable`, `shutting_down`.
   */
  send(actor: Actor, request: SendRequest): Promise<SentMessage>;
  /**
   * Messages of `user` with `conversWith` in the existing REST shape, newest first; `before` / `after` are a
   * message's `seq`. With `after` alone: the first ones beyond it, still newest first. Empty for strangers.
   */
  list(actor: Actor, user: string, conversWith: string, page: Page): JsonItems;
  /**
   * Admins only: erases every message with `conversWith` (group, or all direct ones of that user). Numbers stay,
   * members are told live and by their logs. Answers the number of messages. May be repeated after a failure.
   */
  erase(actor: Actor, conversWith: string): Promise<number>;
  /** Admins only: erases everything that `sender` wrote, in every conversation of the app. As {@link erase}. */
  eraseSender(actor: Actor, sender: string): Promise<number>;
  /**
   * Admins only: puts the id of `user` in the place of its names in what others wrote to it, and in what the system and
   * the groups' events say of its joining. Nobody is told. Answers the number of events; a repeat finds none.
   */
  eraseNames(actor: Actor, user: string): Promise<number>;
}

/** Conversation lists. */
export interface ConversationOperations {
  /**
   * Newest first, in the existing shape. `before` / `after` are a document's `timestamp`; a page ends behind all
   * documents of its last timestamp (at most `limits.listMax` of these more), so that the next `before` leaves none
   * out. A text longer than `limits.listTextCharacters` is cut.
   */
  list(actor: Actor, user: string, archived: boolean, page: ListPage): JsonItems;
  /**
   * States of `user`'s conversations (`conversationStateSchema` texts), newest first; `archived: null` = both lists.
   * Pages and cuts as {@link list} does.
   */
  states(actor: Actor, user: string, archived: boolean | null, page: ListPage): JsonItems;
  /** The document when it is on that list (active or archived), else `null`. */
  get(actor: Actor, user: string, conversWith: string, archived: boolean): Promise<JsonText | null>;
  /** Archives up to the present head and tells the user's devices (S4, S5). Unknown conversations: no effect. */
  archive(actor: Actor, user: string, conversWith: string): Promise<void>;
  /** Takes the conversation out of the archive and tells the user's devices. Not archived, or unknown: no effect. */
  unarchive(actor: Actor, user: string, conversWith: string): Promise<void>;
  /** Moves the user's watermarks forward; answers with the resulting ones. Throws `not_member`. */
  moveWatermarks(
    actor: Actor,
    user: string,
    move: { readonly conversWith: string; readonly delivered?: number; readonly read?: number },
  ): Promise<{ readonly delivered: number; readonly read: number }>;
  /** Admins only: takes the conversation off every list until its next message. Returns the number of lists. */
  clear(actor: Actor, conversWith: string): Promise<number>;
}

/** A group to make. */
export interface CreateGroupRequest {
  /** Contains `group-`, unless an admin chooses it. @default `group-` and a UUID */
  readonly id?: string;
  readonly name: string;
  /** User ids; the actor is added unless it is an admin. */
  readonly members: readonly string[];
  /** JSON object text. */
  readonly attributes?: JsonText;
  /** Admins only. @default the actor */
  readonly owner?: string;
}

/**
 * Groups. Every call resolves after commit and delivery. Throws `not_found` (no such group), `forbidden` (neither
 * owner nor admin), `not_member`, `already_member`, `conflict`, `invalid_id`, `bad_request`.
 */
export interface GroupOperations {
  /**
   * Answers the group document (without `_id`). The same data from its owner or an admin gets the same answer again.
   */
  create(actor: Actor, request: CreateGroupRequest): Promise<JsonText>;
  /** Members and admins only. */
  get(actor: Actor, group: string): Promise<JsonText>;
  /**
   * Groups in code unit order of their ids, without their members (`groupSummarySchema` texts); the cursor is the last
   * id. `member` = those that this user is in now: the actor itself, or anybody for an admin. Without it all of the
   * app, for admins only. Throws `forbidden`.
   */
  list(
    actor: Actor,
    page: { readonly limit?: number; readonly after?: string; readonly member?: string },
  ): JsonItems;
  addMember(actor: Actor, group: string, member: string): Promise<void>;
  /** Throws `conflict` when the members are the same already. */
  setMembers(actor: Actor, group: string, members: readonly string[]): Promise<void>;
  /** Owner, admin, or the member itself. The owner is only removed by itself or an admin. */
  removeMember(actor: Actor, group: string, member: string): Promise<void>;
  rename(actor: Actor, group: string, name: string): Promise<void>;
  /** Replaces the attributes (a JSON object's text). */
  setAttributes(actor: Actor, group: string, attributes: JsonText): Promise<void>;
}

/** Catching up. */
export interface SyncOperations {
  /**
   * Answers a `syncResponseSchema` text for the actor itself: the changes since `request.cursor`. Throws
   * `invalid_cursor` for a cursor of another user or app, of a newer version, or for a text that is not a cursor.
   */
  sync(actor: Actor, request: SyncRequest): Promise<JsonText>;
  /** Answers a `historyResponseSchema` text for the actor itself; `before` / `after` are `seq`. */
  events(actor: Actor, conversWith: string, page: Page): Promise<JsonText>;
}

/** A user's presence, as another user may know it. */
export interface SeenPresence {
  /**
   * Whether the user shares a conversation with the caller: a direct one, or a group that both are in now. Admins know
   * everybody.
   */
  readonly known: boolean;
  /** `false` for unknown users. */
  readonly online: boolean;
  /** Milliseconds; 0 for a user who was never seen or is not known. */
  readonly lastSeen: number;
}

/** Who is there, and who is typing. */
export interface PresenceOperations {
  /** One answer per user, in order. Unknown users look like users who were never seen. */
  get(actor: Actor, users: readonly string[]): Promise<readonly SeenPresence[]>;
  /**
   * Sends an ephemeral notice to the other members of a conversation; `user` is for admins only (default: the actor).
   * Throws `not_member` (admins need not be one), `forbidden`, `invalid_id`, `rate_limited`.
   */
  typing(
    actor: Actor,
    notice: { readonly conversWith: string; readonly typing: boolean; readonly user?: string },
  ): Promise<void>;
}

/** The rules, bound to their ports. An edge feeds it through `EdgeHandler`, REST through the operations. */
export interface Engine extends EdgeHandler {
  readonly epoch: string;
  readonly conversations: ConversationOperations;
  readonly groups: GroupOperations;
  readonly messages: MessageOperations;
  readonly presence: PresenceOperations;
  readonly sync: SyncOperations;
  /**
   * Dispatches the events that an earlier process left undispatched, and starts the sweeps. Call before an edge is
   * started.
   */
  start(): Promise<void>;
  /** Closes live sessions of revoked tokens at once (the revocation itself is already stored). */
  handleRevocation(where: {
    readonly app: string;
    readonly user: string;
    readonly tokenId?: string;
    /** Spares sessions whose token was issued at or after this time (ms). */
    readonly issuedBefore?: number;
  }): number;
  /** `ready` turns false while the store is down or the engine drains. */
  health(): {
    readonly ready: boolean;
    readonly reason: "ok" | "shutting_down" | "storage_full" | "store_unavailable";
  };
  /** Refuses new work, and finishes accepted work. Idempotent. */
  drain(): Promise<void>;
}
