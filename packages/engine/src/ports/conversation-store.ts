import type { ConversationRecord, ConversationView, EventRecord, MemberState } from "./records.ts";

/**
 * A change of one member's place. Absent = unchanged. `delivered`, `read` and `clearedAt` move forward only; they and
 * `archivedAt` never lie past the head.
 */
export interface MemberPatch {
  readonly app: string;
  readonly conversation: string;
  readonly user: string;
  readonly delivered?: number;
  readonly read?: number;
  /** A number archives at that head; `null` un-archives. */
  readonly archivedAt?: number | null;
  /** @default `false` where `read` is given, else unchanged */
  readonly markedUnread?: boolean;
  readonly clearedAt?: number;
}

/** Which conversations of a user's list. The list's order is `compareListed` of the protocol. */
export interface ConversationQuery {
  readonly app: string;
  readonly user: string;
  /** `null` = both. */
  readonly archived: boolean | null;
  /** 1-1,000. */
  readonly limit: number;
  /** Only conversations behind this place: older, or as old and later by id. */
  readonly before?: ListBound;
  /** Only conversations in front of this place: newer, or as new and earlier by id. */
  readonly after?: ListBound;
  /** Which end of the range: the newest `limit`, or the oldest. The answer is in the list's order in both cases. @default newest */
  readonly from?: "newest" | "oldest";
}

/** A place in a list. Without a conversation every conversation of that time lies on the far side of it. */
export interface ListBound {
  /** Milliseconds: of the conversation's last visible listed message. */
  readonly timestamp: number;
  readonly conversation?: string;
}

/** Which changes {@link ConversationStore.changes} answers. */
export interface ChangeQuery {
  readonly app: string;
  readonly user: string;
  /** `cursor` of an earlier answer to the same user. @default everything there is */
  readonly cursor?: string;
  /** Conversations, at most: 1-1,000. */
  readonly limit: number;
  /** Newest events of each conversation, at most; 0 = none. */
  readonly eventsEach: number;
  /**
   * Characters of the events' bodies and of the last messages, at most. A conversation whose events do not fit into what is
   * left comes with the next page. The first one of a page comes in any case, with the newest events that fit, one at least.
   */
  readonly characters: number;
  /** Characters that each event, and each conversation, costs beside its bodies. @default 0 */
  readonly eventOverhead?: number;
  readonly conversationOverhead?: number;
}

/** One conversation that changed for a user. */
export interface ChangedConversation {
  readonly view: ConversationView;
  /**
   * The newest visible events since the cursor, ascending. For a member who joined since the cursor, earlier events that
   * came into sight are among them. A few older ones may be, too.
   */
  readonly events: readonly EventRecord[];
  /**
   * Every visible event from this number on is in `events`. Without `behind`, nothing that came since the cursor lies below
   * it; with `behind` and no events, it is `view.head + 1`.
   */
  readonly from: number;
  /** There are visible events since the cursor below `from`, or may be. */
  readonly behind: boolean;
}

/** What changed, the conversation that changed last first. */
export interface Changes {
  readonly conversations: readonly ChangedConversation[];
  /** With `more`: goes on behind these. Without: finds what changes from now on. 1-200 characters of `A-Za-z0-9._-`. */
  readonly cursor: string;
  readonly more: boolean;
}

/** Conversations and members' places in them. */
export interface ConversationStore {
  /** One record per key, `null` where there is none. Consistent: members as of `head`. */
  load(
    keys: readonly { readonly app: string; readonly conversation: string }[],
  ): Promise<readonly (ConversationRecord | null)[]>;
  /**
   * Conversations with at least one visible listed message beyond `clearedAt`, in the order of `compareListed`. `archived`
   * is projected: see `isArchived` of `view/`. The newest page costs the page, however many conversations the user has.
   */
  list(query: ConversationQuery): Promise<readonly ConversationView[]>;
  /**
   * What has changed for a user since a cursor, in one consistent read: conversations with an event that lies in the user's
   * intervals, or with a patch that moved the user's place or the counterpart's. Conversations without a change cost nothing.
   * A change that is committed when the call begins is in its answer or behind its cursor, whichever process wrote it and
   * whatever became of that process since; one conversation may come again without a change. Throws `invalid_cursor` for a
   * text that is not a cursor of this store, and for a place that this store has not reached.
   */
  changes(query: ChangeQuery): Promise<Changes>;
  /** One conversation as one user sees it; `null` for somebody who never was a member. */
  view(app: string, conversation: string, user: string): Promise<ConversationView | null>;
  /**
   * Every conversation in which the user has ever been a member (id and head only): the ones whose last event is newest
   * first, at equal times by name.
   */
  heads(
    app: string,
    user: string,
    limit: number,
  ): Promise<readonly { readonly conversation: string; readonly head: number }[]>;
  /**
   * Applies patches in order. Answers the state after each; `null` where that user is not, and never was, a member.
   */
  patch(patches: readonly MemberPatch[]): Promise<readonly (MemberState | null)[]>;
  /**
   * Other users who share a direct conversation with `user`, the one with the newest event first. With `after` in the
   * order of the conversations' ids, which stays whatever is written meanwhile: beginning behind the conversation with
   * `after`, and with `""` at the first.
   */
  peers(app: string, user: string, limit: number, after?: string): Promise<readonly string[]>;
}
