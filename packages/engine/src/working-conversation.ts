import { directMembers, looksLikeGroupId } from "@chat21/protocol";
import type { ConversationKind, ConversationRecord, GroupRecord, MemberRecord } from "./ports/records.ts";

/** Bytes of memory, about: of a conversation and of one member without names and intervals, and of one interval. */
const weights = { conversation: 1_000, member: 320, interval: 80 } as const;

/**
 * A conversation that the writer works on: a record that it advances event by event. When a commit fails the object is
 * thrown away and loaded again, never repaired.
 */
export class WorkingConversation {
  readonly app: string;
  readonly conversation: string;
  readonly kind: ConversationKind;
  head: number;
  lastTimestamp: number;
  transient: boolean;
  group: GroupRecord | null;
  readonly #members = new Map<string, MemberRecord>();
  #memberBytes = 0;
  readonly archivedBy: Set<string>;

  constructor(record: ConversationRecord) {
    this.app = record.app;
    this.conversation = record.conversation;
    this.kind = record.kind;
    this.head = record.head;
    this.lastTimestamp = record.lastTimestamp;
    this.transient = record.transient;
    this.group = record.group;
    for (const member of record.members) this.seat(member);
    this.archivedBy = new Set(record.archivedBy);
  }

  /** A conversation without any event. */
  static fresh(app: string, conversation: string): WorkingConversation {
    const kind = directMembers(conversation) === null ? "group" : "direct";
    return new WorkingConversation({
      app,
      conversation,
      kind,
      head: 0,
      lastTimestamp: 0,
      transient: kind === "group" && looksLikeGroupId(conversation),
      group: null,
      members: [],
      archivedBy: [],
    });
  }

  /** Everybody who was ever a member, in the order in which they first came. */
  get members(): ReadonlyMap<string, MemberRecord> {
    return this.#members;
  }

  /** What the conversation takes of the memory, about. */
  get bytes(): number {
    return weights.conversation + this.#memberBytes + (this.group?.attributes?.length ?? 0);
  }

  /** Sets a member's record. */
  seat(member: MemberRecord): void {
    const before = this.#members.get(member.user);
    if (before !== undefined) this.#memberBytes -= memberBytes(before);
    this.#memberBytes += memberBytes(member);
    this.#members.set(member.user, member);
  }

  /** Whether the user is a member now. */
  isMember(user: string): boolean {
    const member = this.#members.get(user);
    return member !== undefined && isOpen(member);
  }

  /** Present members, in the order in which they first came. */
  present(): string[] {
    const users: string[] = [];
    for (const member of this.#members.values()) if (isOpen(member)) users.push(member.user);
    return users;
  }
}

function memberBytes({ user, intervals }: MemberRecord): number {
  return weights.member + user.length + weights.interval * intervals.length;
}

/** Whether the member is still in the conversation. */
export function isOpen(member: MemberRecord): boolean {
  const last = member.intervals.at(-1);
  return last !== undefined && last[1] === null;
}

/** The member with one more interval. An interval that touches the last one is joined to it. */
export function withInterval(member: MemberRecord, from: number, to: number | null): MemberRecord {
  const last = member.intervals.at(-1);
  if (last !== undefined && last[1] !== null && from <= last[1] + 1) {
    return { ...member, intervals: [...member.intervals.slice(0, -1), [last[0], to]] };
  }
  return { ...member, intervals: [...member.intervals, [from, to]] };
}

/** The member with the open interval ended at `to`; unchanged without an open interval. */
export function withEnd(member: MemberRecord, to: number): MemberRecord {
  const last = member.intervals.at(-1);
  if (last === undefined || last[1] !== null) return member;
  return { ...member, intervals: [...member.intervals.slice(0, -1), [last[0], to]] };
}
