import type { ServerKeyRecord } from "@chat21/auth";
import type { ConversationKind, EventRecord, GroupRecord, Interval, MemberRecord } from "@chat21/engine";
import type { StoredWebhookDelivery } from "@chat21/events";
import type { InstanceRecord } from "@chat21/people";
import type { mongo } from "mongoose";

/** Names a conversation. As a whole it is a key: the order of the fields matters. */
export interface ConversationKey {
  readonly app: string;
  readonly conversation: string;
}

/** Names a person or bot. */
export interface AccountKey {
  readonly app: string;
  readonly user: string;
}

/** First fence: one event per number. */
export interface EventKey extends ConversationKey {
  readonly seq: number;
}

/** One event. Fields that are `null` in the record are absent. */
export interface EventDocument {
  readonly _id: EventKey;
  readonly type: EventRecord["type"];
  readonly sender: string;
  /** Second fence, unique where present: the sender's idempotency key. */
  readonly key?: { readonly app: string; readonly sender: string; readonly id: string };
  /** The message id, and the temporary id where there is one: one index finds both. */
  readonly names: readonly string[];
  readonly timestamp: number;
  readonly committedAt: number;
  /** The server's logical time of the insert, set like `undispatched`; absent in events that older versions wrote. */
  readonly at?: mongo.Timestamp;
  readonly body: string;
  readonly hiddenFor?: string;
  readonly listed: boolean;
  /** JSON text: the changes that later events made to this message. */
  readonly overlay?: string;
  /** An amendment removed the sender's content. */
  readonly erased?: true;
  /** The writer whose cursor says whether the event is dispatched; absent in events that were stored with a mark. */
  readonly by?: number;
  /** The mark "not dispatched": the server's logical time of the insert, which orders commits, whoever made them. */
  readonly undispatched?: mongo.Timestamp;
  /**
   * In place of `undispatched`, for a minute: the event was dispatched by another process than the one that is to
   * acknowledge its message.
   */
  readonly redispatched?: Date;
}

/** One conversation. */
export interface ConversationDocument {
  readonly _id: ConversationKey;
  readonly kind: ConversationKind;
  readonly transient: boolean;
  readonly group: GroupRecord | null;
  /** Never past the log's head, and mostly equal to it. It is raised after the events, and by every transaction. */
  readonly head: number;
  /** Of the event at `head`. */
  readonly lastTimestamp: number;
  /** How many ever were members; the next ordinal is one more. */
  readonly memberCount: number;
  /** No event at or below this number is listed. Lists do not look there, however much was erased. */
  readonly unlistedTo?: number;
  /** The server's logical time, written with `head`. See ADR 0013. */
  readonly changedAt?: mongo.Timestamp;
}

/** Where lists show a conversation to a member: ADR 0019. It follows the log by some seconds. */
interface ListPlace {
  /** The time of the last message that the member's lists may show, 0 without one. Absent: only the log tells. */
  readonly at?: number;
  /** Its number. */
  readonly seq?: number;
  /** Of what the member archived: whether a message came since. Absent: only the log tells. */
  readonly returned?: boolean;
  /** `changedAt` of the conversation when the log was read. */
  readonly asOf: mongo.Timestamp;
}

/** A user with many conversations, whose lists are kept in order: ADR 0019. */
export interface ListReaderDocument {
  readonly _id: AccountKey;
  /** Whether the user's conversations have places. */
  readonly placed: boolean;
}

/** One member's place in one conversation. */
export interface MemberDocument {
  readonly _id: ConversationKey & { readonly user: string };
  readonly conversation: ConversationKey;
  readonly account: AccountKey;
  readonly ordinal: number;
  readonly role: MemberRecord["role"];
  readonly intervals: readonly Interval[];
  readonly delivered: number;
  readonly read: number;
  readonly archivedAt: number | null;
  readonly markedUnread: boolean;
  readonly clearedAt: number;
  /** The server's logical time of the last patch of this place, or of the counterpart's watermarks, or of the intervals. */
  readonly changedAt?: mongo.Timestamp;
  /** Counts these changes; absent = 0. */
  readonly changes?: number;
  /** The last change that brought earlier numbers into the member's sight: its time, and `changes` with it. */
  readonly widened?: { readonly at: mongo.Timestamp; readonly changes: number };
  readonly listed?: ListPlace;
}

/** A profile. */
export interface UserDocument {
  readonly _id: { readonly app: string; readonly id: string };
  readonly profile: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A revocation; exactly one of `tokenId` and `issuedBefore` is not `null`. */
export interface RevocationDocument {
  readonly _id: AccountKey & { readonly tokenId: string | null; readonly issuedBefore: number | null };
  readonly expiresAt: number;
}

/** A key of a backend, under its hash. */
export interface ServerKeyDocument extends Omit<ServerKeyRecord, "hash"> {
  readonly _id: string;
}

/** A push registration. */
export interface InstanceDocument extends Pick<InstanceRecord, "data" | "updatedAt"> {
  readonly _id: AccountKey & { readonly instanceId: string };
  readonly account: AccountKey;
}

/** A person's presence: one document, so that coming and going are single writes. */
export interface PresenceDocument {
  readonly _id: AccountKey;
  readonly leases: readonly { readonly clientId: string; readonly expiresAt: number }[];
  readonly lastSeen: number;
  /** Of the lease that runs out first; absent when there are no leases. */
  readonly expiresAt?: number;
  /** New with every write: a write replaces only the version that it was computed from. */
  readonly version: string;
}

/** Names the requests that are made one after the other. */
export interface LaneKey {
  readonly endpoint: string;
  readonly orderKey: string;
}

/** One webhook delivery. */
export interface DeliveryDocument extends Omit<StoredWebhookDelivery, "id"> {
  readonly _id: string;
  readonly lane: LaneKey;
  /** 0 when nobody holds it. */
  readonly leasedUntil: number;
  /** Random id of the call that leased it last. */
  readonly leasedBy?: string;
}

/**
 * The front of a lane, written after the rows. A lane has a document as long as it has pending rows. `changes` is its
 * fence: a lane is written only if nobody has written it since its rows were read.
 */
export interface LaneDocument {
  readonly _id: LaneKey;
  readonly endpoint: string;
  readonly changes: number;
  /** Of the front. */
  readonly position?: number;
  readonly dueAt?: number;
}

/** A lease: a right that one process at a time has. */
export interface LeaseDocument {
  /** The lease's name. */
  readonly _id: string;
  readonly holder: string;
  /**
   * Random ids of the calls that gave or extended the lease, the newest first. A caller that finds its own id has the
   * lease.
   */
  readonly grants: readonly string[];
  /** The time that was given last, milliseconds; absent in leases that older versions gave. */
  readonly keepMs?: number;
  /** By the server's clock. A date, because the server removes documents only by dates. */
  readonly expiresAt: Date;
}

/** One process that commits events, and how far it has dispatched them. See ADR 0018. */
export interface WriterDocument {
  readonly _id: number;
  /** Of the events that the process stored up to this logical time, those without a mark are dispatched. */
  readonly dispatchedTo: mongo.Timestamp;
  /** When the document was written last, by the server's clock. */
  readonly seenAt: Date;
}

/** Numbers that only grow. */
export interface CounterDocument {
  readonly _id: string;
  readonly value: number;
}

/** Schema and identity of the database. */
export interface SchemaDocument {
  readonly _id: "schema";
  readonly version: number;
  readonly epoch: string;
  /** Every kind of event that was known to a program that opened the store. */
  readonly kinds?: readonly string[];
}
