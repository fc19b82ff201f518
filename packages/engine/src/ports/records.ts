/** The form of a conversation. `channel` is reserved for read-only broadcast. */
export type ConversationKind = "direct" | "group" | "channel";

/** Inclusive range of numbers a member may see; `null` = still open. */
export type Interval = readonly [from: number, to: number | null];

/** One member of a conversation as the rules need it. Former members stay with closed intervals. */
export interface MemberRecord {
  readonly user: string;
  readonly role: "owner" | "member";
  /** Ascending, not overlapping. The last one is open exactly when the user is a member now. */
  readonly intervals: readonly Interval[];
}

/** A group's data beyond its members. */
export interface GroupRecord {
  readonly name: string;
  readonly owner: string;
  /** Milliseconds. */
  readonly createdOn: number;
  readonly updatedOn: number;
  /** Exact JSON text of an object, or `null` when none was given. */
  readonly attributes: string | null;
}

/** A stored group as lists show it. */
export interface GroupSummaryRecord {
  readonly app: string;
  readonly conversation: string;
  readonly group: GroupRecord;
  /** Members now. */
  readonly memberCount: number;
}

/** A conversation as of its `head`. Members of a direct conversation are implicit until the first event. */
export interface ConversationRecord {
  readonly app: string;
  readonly conversation: string;
  readonly kind: ConversationKind;
  /** Number of the last event; 0 without events. */
  readonly head: number;
  /** Timestamp of the last event, milliseconds; 0 without events. */
  readonly lastTimestamp: number;
  /** A group that messages began and that was never created: it has an owner, but no group data. */
  readonly transient: boolean;
  readonly group: GroupRecord | null;
  /** In the order in which they first became members. */
  readonly members: readonly MemberRecord[];
  /** Users whose `archivedAt` is set. The next listed message takes the conversation out of their archive. */
  readonly archivedBy: readonly string[];
}

/** One entry of a conversation's log. Only erasure and the overlay change it. */
export interface EventRecord {
  readonly app: string;
  readonly conversation: string;
  /** 1..n without holes. */
  readonly seq: number;
  /** A name of the kinds table, or another text for a kind that this program does not know. */
  readonly type: string;
  readonly sender: string;
  /** The sender's idempotency key, unique for ever per (app, sender). */
  readonly clientMessageId: string | null;
  readonly messageId: string;
  /** Milliseconds, strictly increasing inside the conversation. */
  readonly timestamp: number;
  /** Milliseconds of the server's clock when it was decided. */
  readonly committedAt: number;
  /** Exact JSON text of an object. For a message: the client's keys without those that only the server writes. */
  readonly body: string;
  /** `attributes.tempUID`, by which a receipt may name the message. Not unique. */
  readonly tempUid: string | null;
  /** A member who never sees the event. */
  readonly hiddenFor: string | null;
  /** `false`: never shown in a conversation list (`updateconversation: false`, and all but messages). */
  readonly listed: boolean;
  /** JSON text of an `overlaySchema`: the changes of this message by later events. `null`: unchanged. */
  readonly overlay: string | null;
}

/** Names one event. */
export interface EventRef {
  readonly app: string;
  readonly conversation: string;
  readonly seq: number;
}

/** A member's place in a conversation. Watermarks only move forward. */
export interface MemberState {
  readonly delivered: number;
  readonly read: number;
  /** Head at the moment of archiving; `null` = not archived. Any listed message beyond it un-archives. */
  readonly archivedAt: number | null;
  /** Set by "mark unread", cleared by reading. */
  readonly markedUnread: boolean;
  /** Lists hide the conversation until a listed message beyond this number. */
  readonly clearedAt: number;
}

/** A conversation as one user sees it. */
export interface ConversationView {
  readonly app: string;
  readonly conversation: string;
  readonly kind: ConversationKind;
  /** The last number that the user may see: the conversation's head, or where the user's last interval ends. */
  readonly head: number;
  readonly state: MemberState;
  /** Newest listed message that the user may see; `null` when none exists. */
  readonly last: EventRecord | null;
  /** Listed messages of others, visible to the user, beyond `read`; counted up to `limits.unreadMax`. */
  readonly unread: number;
  /** Watermarks of the counterpart of a direct conversation; `null` in groups and in notes to self. */
  readonly counterpart: { readonly delivered: number; readonly read: number } | null;
}
