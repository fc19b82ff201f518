import type { EventType } from "@chat21/protocol";
import type {
  ConversationKind,
  ConversationRecord,
  ConversationView,
  EventRecord,
  EventRef,
  GroupRecord,
  InstanceRecord,
  MemberRecord,
  MemberState,
  RevocationRecord,
  StoredWebhookDelivery,
  UserRecord,
  WebhookDelivery,
} from "./records.ts";

/**
 * Everything that is durable. An implementation owns its connection; a promise that resolves means "on disk, and it
 * survives a power cut". Errors are `ChatError`: `store_unavailable` for what may pass, `internal` for what will not.
 * After a `store_unavailable` a write's outcome is unknown, and repeating the same call is safe.
 */
export interface Store {
  /** Random, made with the store, changed by a restore: numbers of another epoch mean nothing. */
  readonly epoch: string;
  readonly conversations: ConversationStore;
  readonly events: EventLog;
  readonly instances: InstanceStore;
  readonly presence: PresenceStore;
  readonly revocations: RevocationStore;
  readonly users: UserStore;
  readonly webhooks: WebhookStore;
  /** Finishes what was accepted, then releases everything. Idempotent. */
  close(): Promise<void>;
}

/** New events of one conversation, and what they change, written together or not at all. */
export interface Run {
  readonly app: string;
  readonly conversation: string;
  /** The head the writer knows; `events[i].seq` is `expectedHead + 1 + i`. */
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
}

/**
 * What became of a run. `committed` events from the front are stored (all of them exactly when `status` is
 * `committed`; a store with transactions never stores a part).
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
  /** `newest`: the last `limit` of the range; `oldest`: the first. The answer is ascending by `seq` in both cases. */
  readonly from: "newest" | "oldest";
  /** Only these types. @default all */
  readonly types?: readonly EventType[];
  /** Leaves out what is hidden for this user and what lies outside the user's intervals. @default no filter */
  readonly visibleTo?: string;
}

/** The conversations' logs. Fences: unique (app, conversation, seq) and unique (app, sender, clientMessageId). */
export interface EventLog {
  /**
   * Stores runs, at most one per conversation in a call. Results are in the order of the runs. A repeat is answered
   * whatever the head is, and the first one of a run counts: what stands in front of it may be stored (`committed`),
   * nothing from it on is. A key that stands twice in a run is a repeat of its first event. A run that is stored already,
   * event for event, answers `committed` again and changes nothing. Stored events count as undispatched.
   */
  commit(runs: readonly Run[]): Promise<readonly RunResult[]>;
  /** Reads a range, ascending by `seq`. Empty when there is nothing. */
  read(range: EventRange): Promise<readonly EventRecord[]>;
  /** The newest event of one conversation whose `messageId` or `tempUid` this is. */
  find(app: string, conversation: string, id: string): Promise<EventRecord | null>;
  /** The event that took this idempotency key. */
  findByClientMessageId(app: string, sender: string, clientMessageId: string): Promise<EventRecord | null>;
  /**
   * Committed events not yet marked as dispatched, oldest first, committed before `committedBefore` (ms). A
   * conversation's events come in their order; runs of one call have none among each other. `of`: only those of one
   * conversation.
   */
  undispatched(
    limit: number,
    committedBefore: number,
    of?: { readonly app: string; readonly conversation: string },
  ): Promise<readonly EventRecord[]>;
  /** Clears marks. May be written lazily with a later batch: losing it only repeats a dispatch. Idempotent. */
  markDispatched(refs: readonly EventRef[]): void;
  /**
   * Resolves when every mark cleared so far is durable. Calls at the same time share one write. Rejects when it cannot
   * be written; the marks then wait for the next flush.
   */
  flushMarks(): Promise<void>;
  /**
   * Erases the messages that `where` names: their type becomes `erased`, their body `{}`, `tempUid` goes, no list
   * shows them any more. Numbers stay, and so does `clientMessageId`: a client that repeats its send after all must not
   * bring the message back. Returns how many. `sender` alone: everything that user wrote in the app. Throws
   * `bad_request` when neither a conversation nor a sender is named.
   */
  erase(where: {
    readonly app: string;
    readonly conversation?: string;
    readonly sender?: string;
  }): Promise<number>;
}

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

/** Which conversations of a user. */
export interface ConversationQuery {
  readonly app: string;
  readonly user: string;
  /** `null` = both. */
  readonly archived: boolean | null;
  /** 1-1,000. */
  readonly limit: number;
  /** Only conversations whose last visible message is older than this timestamp (ms). */
  readonly before?: number;
  /** Only conversations whose last visible message is newer than this timestamp (ms). */
  readonly after?: number;
}

/** Conversations and members' places in them. */
export interface ConversationStore {
  /** One record per key, `null` where there is none. Consistent: members as of `head`. */
  load(
    keys: readonly { readonly app: string; readonly conversation: string }[],
  ): Promise<readonly (ConversationRecord | null)[]>;
  /**
   * Conversations with at least one visible listed message beyond `clearedAt`, newest `last` first, at equal times by
   * name. `archived` is projected: archived exactly when `archivedAt` is set and `last.seq <= archivedAt`.
   */
  list(query: ConversationQuery): Promise<readonly ConversationView[]>;
  /** One conversation as one user sees it; `null` for somebody who never was a member. */
  view(app: string, conversation: string, user: string): Promise<ConversationView | null>;
  /**
   * Every conversation in which the user has ever been a member (id and head only), for sync: the ones whose last
   * event is newest first, at equal times by name.
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

/** Users. */
export interface UserStore {
  put(user: UserRecord): Promise<void>;
  get(app: string, id: string): Promise<UserRecord | null>;
  /** Ascending by id, beginning after `after`. */
  list(app: string, limit: number, after?: string): Promise<readonly UserRecord[]>;
  /** Whether there was one. */
  delete(app: string, id: string): Promise<boolean>;
  /**
   * Removes, in one write, what is kept about a person beside events and memberships: profile, push registrations,
   * presence and when the person was last seen. Idempotent.
   */
  erase(app: string, id: string): Promise<{ readonly profile: boolean; readonly instances: number }>;
}

/** Revoked tokens. */
export interface RevocationStore {
  add(revocation: RevocationRecord): Promise<void>;
  /** All that still have an effect at `now`. */
  list(now: number): Promise<readonly RevocationRecord[]>;
}

/** A presence lease: `user` is online through `clientId` until `expiresAt` (ms). */
export interface PresenceLease {
  readonly app: string;
  readonly user: string;
  readonly clientId: string;
  readonly expiresAt: number;
}

/** Who is online. A user is online while one unexpired lease exists. */
export interface PresenceStore {
  /** Inserts or extends leases. Answers per lease whether the user had none before (came online). */
  renew(leases: readonly PresenceLease[], now: number): Promise<readonly boolean[]>;
  /** Ends one lease. `offline`: it was the user's last one; `lastSeen` is set to `now` then. */
  end(app: string, user: string, clientId: string, now: number): Promise<{ readonly offline: boolean }>;
  /** Drops leases that ran out; answers the users who went offline by it. Their `lastSeen` is when the last one did. */
  expire(now: number): Promise<readonly { readonly app: string; readonly user: string }[]>;
  /** Leases that run out, or ran out, before `before` (ms), the first ones first, at most `limit`. */
  expiring(before: number, limit: number): Promise<readonly PresenceLease[]>;
  /** Leases of a client id, whosever they are, run out or not; at most 1,000. */
  ofClient(clientId: string): Promise<readonly PresenceLease[]>;
  /** One answer per user, in order. `lastSeen` is `now` while online, and 0 for somebody never seen. */
  get(
    app: string,
    users: readonly string[],
    now: number,
  ): Promise<readonly { readonly online: boolean; readonly lastSeen: number }[]>;
}

/** Push registrations. */
export interface InstanceStore {
  put(instance: InstanceRecord): Promise<void>;
  list(app: string, user: string): Promise<readonly InstanceRecord[]>;
}

/** Which rows to take. */
export interface WebhookLease {
  readonly endpoint: string;
  readonly now: number;
  /** Milliseconds; rows that are not settled by then are due again. */
  readonly leaseUntil: number;
  readonly limit: number;
}

/** What one attempt came to. */
export interface WebhookOutcome {
  readonly id: string;
  /** The `leaseUntil` under which the attempt was made. */
  readonly leaseUntil: number;
  readonly state: "pending" | "delivered" | "dead";
  /** When to try again (state `pending`), milliseconds. */
  readonly nextAttemptAt: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly at: number;
}

/** Which deliveries to show. All given fields must match. */
export interface WebhookQuery {
  readonly id?: string;
  readonly endpoint?: string;
  readonly state?: StoredWebhookDelivery["state"];
  readonly event?: string;
  /** Exclusive upper bound of `position`. */
  readonly before?: number;
  readonly limit: number;
}

/**
 * The webhooks' outbox: leased rows, so that a crash repeats and never loses. Several processes may lease from it at
 * the same time. The *head* of an (endpoint, orderKey) is its pending row with the lowest `position`; only heads are
 * ever handed out, so a head that waits for its next attempt, or is leased, holds back all rows behind it.
 */
export interface WebhookStore {
  /** Adds rows, in order; ids that exist are left as they are. `queuedAt` is `createdAt` at first. */
  enqueue(deliveries: readonly WebhookDelivery[]): Promise<void>;
  /**
   * Calls `listener` after rows were added, by whichever process: best effort, once or several times. Returns the way to
   * stop it. @default one process writes, which knows by itself
   */
  onEnqueued?(listener: () => void): () => void;
  /** Takes up to `limit` heads of one endpoint that are due and not leased at `now`, lowest `position` first. */
  lease(lease: WebhookLease): Promise<readonly StoredWebhookDelivery[]>;
  /**
   * Writes outcomes, counts one attempt each and ends the leases. An outcome whose lease has meanwhile gone to
   * somebody else, or whose row is not pending any more, has no effect.
   */
  settle(outcomes: readonly WebhookOutcome[]): Promise<void>;
  /**
   * Every endpoint with pending rows, and when its next head is due: the smallest, over its heads, of the larger of
   * `nextAttemptAt` and the end of the lease (0 when not leased). Rows behind a head do not count.
   */
  due(): Promise<readonly { readonly endpoint: string; readonly dueAt: number }[]>;
  /** Newest first. */
  list(query: WebhookQuery): Promise<readonly StoredWebhookDelivery[]>;
  /**
   * Makes rows pending again, due at `now`, with no attempts and `queuedAt` = `now`: by id, whatever their state, or
   * all dead ones of an endpoint. Rows that are leased at `now` stay as they are. Returns how many.
   */
  replay(
    where: { readonly ids: readonly string[] } | { readonly deadOf: string },
    now: number,
  ): Promise<number>;
  /**
   * Makes pending rows of an endpoint dead that were queued before `queuedBefore` and are not leased at `now`, with
   * `error` as `lastError`, without counting an attempt. Returns how many.
   */
  giveUp(endpoint: string, queuedBefore: number, now: number, error: string): Promise<number>;
  /** Removes at most `limit` rows of that state that were settled before `settledBefore` (ms). Returns how many. */
  prune(state: "delivered" | "dead", settledBefore: number, limit: number): Promise<number>;
}
