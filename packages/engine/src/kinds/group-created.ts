import { ChatError, eventKinds } from "@chat21/protocol";
import type { Contact } from "../ports/contacts.ts";
import type { GroupRecord, MemberRecord } from "../ports/records.ts";
import type { WorkingConversation } from "../working-conversation.ts";
import { isOpen, withEnd, withInterval } from "../working-conversation.ts";
import { groupEvent, groupKind } from "./group-event.ts";
import { groupCreatedInfo, joinedOnCreationInfo } from "./info-message.ts";
import { requireRoutable } from "./message.ts";
import type { Decide, EventDraft } from "./plan.ts";

/** A group was created, or one that messages had begun became a stored group. */
export const groupCreated = groupKind(eventKinds.group_created);

/** Info messages about new members go to every member. Above this number of new members there are none. */
export const joinedInfoMembers = 200;

/** A group to create, with the names of all members. */
export interface NewGroup {
  readonly name: string;
  readonly owner: string;
  readonly creator: { readonly user: string; readonly admin: boolean };
  /** Without repeats. The owner is included unless the creator is an admin. */
  readonly members: readonly { readonly user: string; readonly contact: Contact }[];
  /** JSON object text. */
  readonly attributes: string | null;
}

/**
 * Creates a group. A group that messages began is only created by its owner or an admin, and keeps its log, which
 * its members see where the one who began it is a member. For a group that exists nothing happens when the data is equal; other data is refused.
 */
export function createGroup(wanted: NewGroup): Decide {
  return (state, context) => {
    if (state.kind !== "group") throw new ChatError("invalid_id", "the id is not a group's");
    if (state.group !== null) {
      requireEqual(state, state.group, wanted);
      return { events: [] };
    }
    requireOwnership(state, wanted);
    for (const { user } of wanted.members) requireRoutable(state.app, user, state.conversation);
    const group: GroupRecord = {
      name: wanted.name,
      owner: wanted.owner,
      createdOn: context.now,
      updatedOn: context.now,
      attributes: wanted.attributes,
    };
    const body = { name: group.name, owner: group.owner, announce: false };
    const events: EventDraft[] = [
      groupEvent("group_created", wanted.creator.user, body, context),
      groupCreatedInfo(group.name, wanted.creator.user, context),
    ];
    if (wanted.members.length <= joinedInfoMembers) {
      for (const { user, contact } of wanted.members) {
        events.push(joinedOnCreationInfo(group.name, user, contact, context));
      }
    }
    return { events, transient: false, group, members: initialMembers(state, wanted) };
  };
}

function initialMembers(state: WorkingConversation, wanted: NewGroup): MemberRecord[] {
  const named = new Set(wanted.members.map(({ user }) => user));
  const isForeign = hasForeignBeginning(state, named);
  const members = [...named].map((user): MemberRecord => {
    const role = user === wanted.owner ? "owner" : "member";
    if (!isForeign) return { user, role, intervals: [[1, null]] };
    const known = state.members.get(user) ?? { user, role, intervals: [] };
    return { ...withInterval(known, state.head + 1, null), role };
  });
  for (const former of state.members.values()) {
    if (!named.has(former.user)) members.push({ ...withEnd(former, state.head), role: "member" });
  }
  return members;
}

/**
 * Whether the log was begun by somebody who is no member of the new group. Anybody may write to an id that is not taken
 * yet, so such a beginning is not the group's: its members see nothing of it.
 */
function hasForeignBeginning(state: WorkingConversation, members: ReadonlySet<string>): boolean {
  for (const { user, role } of state.members.values())
    if (role === "owner" && !members.has(user)) return true;
  return false;
}

function requireOwnership(state: WorkingConversation, wanted: NewGroup): void {
  if (state.head === 0 || wanted.creator.admin) return;
  if (state.members.get(wanted.creator.user)?.role !== "owner") {
    throw new ChatError("forbidden", "somebody else has begun this group");
  }
}

function requireEqual(state: WorkingConversation, group: GroupRecord, wanted: NewGroup): void {
  const present = [...state.members.values()].filter(isOpen);
  const equal =
    (wanted.creator.admin || wanted.creator.user === group.owner) &&
    group.name === wanted.name &&
    group.owner === wanted.owner &&
    (group.attributes ?? "{}") === (wanted.attributes ?? "{}") &&
    present.length === wanted.members.length &&
    wanted.members.every(({ user }) => state.isMember(user));
  if (!equal) throw new ChatError("conflict", "a group with this id exists");
}
