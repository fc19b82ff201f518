import type {
  ConversationRecord,
  ConversationView,
  EventRecord,
  GroupSummaryRecord,
  MemberState,
} from "./records.ts";

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

/** Selects conversations of a user's list. The list's order is `compareListed` of the protocol. */
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
  /**
   * End of the range: the newest `limit`, or the oldest. The answer is in the list's order in both cases. @default
   * newest
   */
  readonly from?: "newest" | "oldest";
}

/** A place in a list. Without a conversation every conversation of that time lies on the far side of it. */
export interface ListBound {
  /** Milliseconds: of the conversation's last visible listed message. */
  readonly timestamp: number;
  readonly conversation?: string;
}

/** Selects the changes that {@link ConversationStore.changes} answers. */
export interface ChangeQuery {
  readonly app: string;
  readonly user: string;
  /** `cursor` of an earlier answer to the same user. @default from the beginning */
  readonly cursor?: string;
  /** Conversations, at most: 1-1,000. */
  readonly limit: number;
  /** Newest events of each conversation, at most; 0 = none. */
  readonly eventsEach: number;
  /**
   * Characters of the events' bodies and of the last messages, at most. A conversation whose events do not fit into the
   * remaining characters comes with the next page. The first one of a page always comes, with the newest events that
   * fit, at least one.
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
   * The newest visible events since the cursor, ascending. For a member who joined since the cursor they include
   * earlier events that came into sight. They may include a few older ones, too.
   */
  readonly events: readonly EventRecord[];
  /**
   * Every visible event from this number on is in `events`. Without `behind`, no event since the cursor lies below it;
   * with `behind` and no events, it is `view.head + 1`.
   */
  readonly from: number;
  /** Visible events since the cursor lie below `from`, or may lie there. */
  readonly behind: boolean;
}

/** Changed conversations, the one that changed last first. */
export interface Changes {
  readonly conversations: readonly ChangedConversation[];
  /**
   * With `more`: the next page goes on behind these conversations. Without: the next call finds the changes from now
   * on. 1-200 characters of `A-Za-z0-9._-`.
   */
  readonly cursor: string;
  readonly more: boolean;
}

/** Selects stored groups of an app, in code unit order of their ids. */
export interface GroupQuery {
  readonly app: string;
  /** 1-1,000. */
  readonly limit: number;
  /** Only those behind this id. @default from the first one */
  readonly after?: string;
  /** Only those that this user is a member of now. @default all of the app */
  readonly member?: string;
}

/** Conversations and members' places in them. */
export interface ConversationStore {
  /** One record per key, `null` for an unknown conversation. Consistent: members as of `head`. */
  load(
    keys: readonly { readonly app: string; readonly conversation: string }[],
  ): Promise<readonly (ConversationRecord | null)[]>;
  /**
   * Conversations with at least one visible listed message beyond `clearedAt`, in the order of `compareListed`.
   * `archived` is projected: see `isArchived` of `view/`. The `text` of a last message may be cut behind
   * `limits.listTextCharacters` characters, because no list shows more. The cost of the newest page depends on the page
   * alone, not on the number of the user's conversations.
   */
  list(query: ConversationQuery): Promise<readonly ConversationView[]>;
  /**
   * Changes for a user since a cursor, in one consistent read: conversations with an event that lies in the user's
   * intervals, or with a patch that moved the user's place or the counterpart's. Conversations without a change cost
   * nothing. A change that is committed when the call begins is in its answer or behind its cursor. This holds for
   * changes of every process, also of one that has ended since. A conversation may come again without a change. Throws
   * `invalid_cursor` for a text that is not a cursor of this store, and for a place that this store has not reached.
   */
  changes(query: ChangeQuery): Promise<Changes>;
  /** One conversation as one user sees it; `null` for a user who was never a member. */
  view(app: string, conversation: string, user: string): Promise<ConversationView | null>;
  /**
   * Conversations in which the user has ever been a member (id and head only), in an order that later writes do not
   * change: the answer begins behind the conversation `after`, one of an earlier answer; without it at the first. The cost
   * is that of the answer.
   */
  heads(
    app: string,
    user: string,
    limit: number,
    after?: string,
  ): Promise<readonly { readonly conversation: string; readonly head: number }[]>;
  /**
   * Stored groups (those with a group record), in one consistent read. Members are counted where they are stored: what
   * leaves the store is the answer alone. Direct conversations have ids of another form (`directMembers`) and are no
   * groups. Which groups these are costs, with a member, a look at the names of the user's conversations; without one, at
   * all conversations of the app that lie between the groups: for operators only.
   */
  groups(query: GroupQuery): Promise<readonly GroupSummaryRecord[]>;
  /** Applies patches in order. Answers the state after each; `null` where the user is not, and never was, a member. */
  patch(patches: readonly MemberPatch[]): Promise<readonly (MemberState | null)[]>;
  /**
   * Other users who share a direct conversation with `user`, in an order that later writes do not change: the answer
   * begins behind `after`, one of an earlier answer; without it at the first. The cost is that of the answer, and of groups
   * that lie between.
   */
  peers(app: string, user: string, limit: number, after?: string): Promise<readonly string[]>;
}
