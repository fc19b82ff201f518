import { randomUUID } from "node:crypto";
import type { RevocationRecord, ServerKeyRecord } from "@chat21/auth";
import type {
  ConversationKind,
  EventRecord,
  EventRef,
  GroupRecord,
  Interval,
  MemberRecord,
  MemberState,
  PresenceLease,
} from "@chat21/engine";
import type { StoredWebhookDelivery } from "@chat21/events";
import type { InstanceRecord, UserRecord } from "@chat21/people";

/** A member's row: the user, the visible numbers, and its place. */
export interface DiskMember {
  readonly user: string;
  role: MemberRecord["role"];
  intervals: readonly Interval[];
  state: MemberState;
  /** Change number of the last run that wrote the record, or of the last patch that a member of a direct conversation sees. */
  changed: number;
  /** Change number of the last run that let the member see earlier numbers. */
  widened: number;
}

/** A conversation with its log; `events[i].seq` is `i + 1`. */
export interface DiskConversation {
  readonly app: string;
  readonly conversation: string;
  kind: ConversationKind;
  transient: boolean;
  group: GroupRecord | null;
  /** In the order in which they first became members. */
  readonly members: Map<string, DiskMember>;
  readonly events: EventRecord[];
  /** Change numbers of the events, by the same index. */
  readonly changeNumbers: number[];
  /** Numbers of messages that an amendment erased. */
  readonly erased: Set<number>;
}

/** A delivery and its lease; `leasedUntil` is 0 without a holder. */
export interface DiskDelivery {
  row: StoredWebhookDelivery;
  leasedUntil: number;
}

/**
 * The data that survives a crash: everything that a memory store has made durable. Several stores may share one disk,
 * as several processes share a database.
 */
export interface MemoryDisk {
  epoch: string;
  readonly conversations: Map<string, DiskConversation>;
  /** In commit order. */
  readonly undispatched: Map<string, EventRef>;
  /** Events that were dispatched; another process acknowledges them to a broker. */
  readonly redispatched: Set<string>;
  /** The event that took each idempotency key. */
  readonly clientMessageIds: Map<string, EventRef>;
  readonly users: Map<string, UserRecord>;
  readonly revocations: Map<string, RevocationRecord>;
  /** By hash. */
  readonly serverKeys: Map<string, ServerKeyRecord>;
  readonly instances: Map<string, InstanceRecord>;
  readonly leases: Map<string, PresenceLease>;
  readonly lastSeen: Map<string, number>;
  /** In order of `position`. */
  readonly deliveries: Map<string, DiskDelivery>;
  /** Position of the newest delivery ever enqueued. */
  lastWebhookPosition: number;
  /** Number of the newest change: every event and every patch takes the next one. */
  lastChange: number;
}

/** An empty disk with a new epoch. */
export function createMemoryDisk(epoch: string = randomUUID()): MemoryDisk {
  return {
    epoch,
    conversations: new Map(),
    undispatched: new Map(),
    redispatched: new Set(),
    clientMessageIds: new Map(),
    users: new Map(),
    revocations: new Map(),
    serverKeys: new Map(),
    instances: new Map(),
    leases: new Map(),
    lastSeen: new Map(),
    deliveries: new Map(),
    lastWebhookPosition: 0,
    lastChange: 0,
  };
}

/** One map key of several ids; no id contains a line feed. */
export function keyOf(...ids: readonly (string | number)[]): string {
  return ids.join("\n");
}
