import { ChatError, limits, systemUser } from "@chat21/protocol";
import type { Contact } from "../ports/contacts.ts";
import type { GroupRecord, MemberRecord } from "../ports/records.ts";
import type { WorkingConversation } from "../working-conversation.ts";
import { isOpen, withInterval } from "../working-conversation.ts";
import type { DecisionContext } from "./plan.ts";

/** The user who changes a group. */
export interface Changer {
  readonly user: string;
  readonly admin: boolean;
}

/** A user to add, with the name for the info message. */
export interface Newcomer {
  readonly user: string;
  readonly contact: Contact;
}

/** The group of a state. Throws `not_found` when the group was never created. */
export function requireGroup(state: WorkingConversation): GroupRecord {
  if (state.group === null) throw new ChatError("not_found", "there is no such group");
  return state.group;
}

/**
 * Whether a user has the owner's rights. An owner who was never a member has them; one who was a member and is none
 * any more does not, also where nobody is left to whom the group could pass on.
 */
export function hasOwnerRights({ group, members }: WorkingConversation, user: string): boolean {
  if (user !== group?.owner) return false;
  const record = members.get(user);
  return record === undefined || record.intervals.length === 0 || isOpen(record);
}

/** Throws `forbidden` unless the changer is an admin or has the owner's rights. */
export function requireOwner(state: WorkingConversation, changer: Changer): void {
  if (!changer.admin && !hasOwnerRights(state, changer.user)) {
    throw new ChatError("forbidden", "only the group's owner may do that");
  }
}

/** The group with its time of change set to now. */
export function touched(group: GroupRecord, context: DecisionContext): GroupRecord {
  return { ...group, updatedOn: context.now };
}

/** The first number that a present member sees without a gap up to now; 1 where nobody is present. */
export function firstSeen(state: WorkingConversation): number {
  let first = Number.POSITIVE_INFINITY;
  for (const member of state.members.values())
    if (isOpen(member)) first = Math.min(first, member.intervals.at(-1)?.[0] ?? first);
  return first === Number.POSITIVE_INFINITY ? 1 : first;
}

/**
 * The record of a member who joins now: it sees the newest 200 numbers before it, and all that follow; nothing older than
 * `floor`, which is `firstSeen`: what no present member sees is not the group's to show.
 */
export function joined(state: WorkingConversation, user: string, floor: number): MemberRecord {
  const known = state.members.get(user) ?? { user, role: "member", intervals: [] };
  const lastSeen = known.intervals.at(-1)?.[1] ?? 0;
  const from = Math.max(floor, state.head - limits.joinReplay + 1, lastSeen + 1);
  return withInterval(known, from, null);
}

/** Throws `bad_request` for a group that would have too many members. */
export function requireRoom(state: WorkingConversation, more: number): void {
  if (state.present().length + more > limits.groupMembers) {
    throw new ChatError("bad_request", `a group has at most ${limits.groupMembers} members`);
  }
}

/** A group, and the records of members, in which the owner's place is filled. */
export interface Succession {
  readonly group: GroupRecord;
  /** Records that the new owner's role changes. */
  readonly members: readonly MemberRecord[];
  /** `null`: the owner is the same as before. */
  readonly newOwner: string | null;
}

/**
 * Ownership passes on when the owner goes: to the member of longest standing among `remaining`. The last one to leave
 * stays the owner of an empty group, so a group is never without one. An owner who was no member is not affected.
 */
export function withSuccessor(
  group: GroupRecord,
  leaving: readonly string[],
  remaining: readonly MemberRecord[],
): Succession {
  const heir = leaving.includes(group.owner)
    ? remaining.find(({ user }) => user !== systemUser && !leaving.includes(user))
    : undefined;
  if (heir === undefined) return { group, members: [], newOwner: null };
  return {
    group: { ...group, owner: heir.user },
    members: [{ ...heir, role: "owner" }],
    newOwner: heir.user,
  };
}
