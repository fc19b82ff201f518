import type { ConversationKind, EventRecord, EventRef, GroupRecord, MemberRecord } from "./records.ts";

/** New events of one conversation, and their changes. They are written together or not at all. */
export interface Run {
  readonly app: string;
  readonly conversation: string;
  /** The head that the writer knows; `events[i].seq` is `expectedHead + 1 + i`. */
  readonly expectedHead: number;
  /** At least one. */
  readonly events: readonly EventRecord[];
  /** Facts of the conversation to set. `kind` and `transient` count when the conversation is new, too. */
  readonly kind: ConversationKind;
  readonly transient: boolean;
  /** `undefined` = unchanged. */
  readonly group?: GroupRecord | null;
  /** Whole records to insert or replace by user; others stay. Watermarks and flags of existing ones stay. */
  readonly members?: readonly MemberRecord[];
  /**
   * Changes of messages by the events: of earlier messages, or of messages of the same run; at most one for each
   * message.
   */
  readonly amendments?: readonly Amendment[];
}

/** A message's new overlay. It replaces the one before. */
export interface Amendment {
  /** Number of the message. */
  readonly seq: number;
  /** JSON text of an `overlaySchema`. */
  readonly overlay: string;
  /**
   * Removes the sender's text: `body` becomes `{}`, `tempUid` is removed, `listed` turns `false`. `clientMessageId`
   * stays, so that a repeated send does not bring the message back.
   */
  readonly erases: boolean;
}

/**
 * The outcome of a run. `committed` events from the front are stored (all of them exactly when `status` is `committed`;
 * a store with transactions never stores a part).
 * - `repeat`: `events[index]` carries a `(sender, clientMessageId)` that `existing` has already taken.
 * - `stale`: the head is not `expectedHead` any more; load the conversation again and decide anew.
 */
export type RunResult =
  | { readonly status: "committed"; readonly committed: number }
  | {
      readonly status: "repeat";
      readonly committed: number;
      readonly index: number;
      readonly existing: EventRecord;
    }
  | { readonly status: "stale"; readonly committed: number };

/** A stretch of a conversation's log. */
export interface EventRange {
  readonly app: string;
  readonly conversation: string;
  /** Exclusive lower bound. @default 0 */
  readonly after?: number;
  /** Exclusive upper bound. @default no bound */
  readonly before?: number;
  /** At most so many events, 1-1,000. */
  readonly limit: number;
  /**
   * Characters of the bodies, at most; at least one event comes. The answer ends where the next body would not fit.
   * @default no bound
   */
  readonly characters?: number;
  /** `newest`: the last `limit` of the range; `oldest`: the first. The answer is ascending by `seq` in both cases. */
  readonly from: "newest" | "oldest";
  /** Only these types. @default all */
  readonly types?: readonly string[];
  /** Leaves out events that are hidden for this user or lie outside the user's intervals. @default no filter */
  readonly visibleTo?: string;
  /** Leaves out messages that were erased. @default false */
  readonly withoutErased?: boolean;
}

/** Selects the messages for {@link EventLog.findMessages}. At least one of `conversation` and `sender` is given. */
export interface MessageSearch {
  readonly app: string;
  readonly conversation?: string;
  readonly sender?: string;
  /** Place where the search goes on: `next` of the answer before. @default the beginning */
  readonly from?: string;
}

/** Times (ms) of commits: before `before`, or after `after`. */
export interface CommittedOutside {
  readonly before: number;
  readonly after: number;
}

/**
 * The conversations' logs. Fences: unique (app, conversation, seq) and unique (app, sender, clientMessageId). Every
 * read event carries its overlay.
 */
export interface EventLog {
  /**
   * Stores runs, at most one per conversation in a call. Results are in the order of the runs. A repeat is answered at
   * any head, and the first repeat of a run counts: the events in front of it may be stored (`committed`), it and the
   * events behind it are not. A key that stands twice in a run is a repeat of its first event. A run that is already
   * stored, event for event, answers `committed` again and changes nothing. Stored events count as undispatched.
   * Rejects with `internal` when a run amends something that is not a message of its conversation, or lies beyond its
   * last event: nothing of that run is stored, each other run of the call is stored as a whole or not at all, and other
   * calls are not affected.
   */
  commit(runs: readonly Run[]): Promise<readonly RunResult[]>;
  /** Reads a range, ascending by `seq`. Empty when there is nothing. */
  read(range: EventRange): Promise<readonly EventRecord[]>;
  /**
   * The newest event of one conversation that has this `messageId` or `tempUid`. `among`: so many newest events are
   * looked at; a store without an index of these names looks at no others, one with an index may find an older event. So
   * an id that nobody has costs no more than `among` events or a look-up.
   * @param among @default all events, for work that no user causes
   */
  find(app: string, conversation: string, id: string, among?: number): Promise<EventRecord | null>;
  /** The event that took this idempotency key. */
  findByClientMessageId(app: string, sender: string, clientMessageId: string): Promise<EventRecord | null>;
  /**
   * Messages that are not erased, in steps: each call looks at a bounded part of the log (so that commits do not wait)
   * and answers the messages in it, at most 500, those of one conversation ascending by `seq`. `next` is `null` at the
   * end. Messages that are written meanwhile may be left out. Throws `bad_request` when neither a conversation nor a
   * sender is named.
   */
  findMessages(
    search: MessageSearch,
  ): Promise<{ readonly found: readonly EventRef[]; readonly next: string | null }>;
  /**
   * Replaces bodies of stored events of one conversation, of any type, in place and for good: copies of the name of a
   * person who is erased. Numbers, overlays and all else stay, nobody is told, and erased events stay as they are.
   * Answers how many were replaced. Idempotent.
   */
  rewrite(
    app: string,
    conversation: string,
    bodies: readonly { readonly seq: number; readonly body: string }[],
  ): Promise<number>;
  /**
   * Resolves when the bodies that committed amendments have erased are overwritten on this machine's disk, as far as a
   * client of the database can cause it.
   */
  scrub(): Promise<void>;
  /**
   * Committed events that are not marked as dispatched, oldest first, committed before a time (ms), or outside a
   * stretch of time: what was committed after `after` has the time of a clock that was set back since. Events of a
   * conversation come in their order; runs of one call have no order among each other. `of`: only events of one
   * conversation.
   */
  undispatched(
    limit: number,
    committed: number | CommittedOutside,
    of?: { readonly app: string; readonly conversation: string },
  ): Promise<readonly EventRecord[]>;
  /**
   * Clears dispatch marks. May be written lazily with a later batch: a lost write only repeats a dispatch. Idempotent.
   */
  markDispatched(refs: readonly EventRef[]): void;
  /**
   * Resolves when every dispatch mark cleared so far is durable. Calls at the same time share one write. Rejects when
   * it cannot be written; the marks then wait for the next flush.
   */
  flushDispatchMarks(): Promise<void>;
}
