import { ChatError, limits } from "@chat21/protocol";
import type { ConversationState } from "../conversation-state.ts";
import { withEnd, withInterval } from "../conversation-state.ts";
import type { Contact } from "../ports/contacts.ts";
import type { GroupRecord, MemberRecord } from "../ports/records.ts";
import { joinedInfoMembers } from "./create-group.ts";
import { groupEvent } from "./group-event.ts";
import { addedInfo, joinedParameters, removedInfo } from "./info-message.ts";
import type { Decide, DecisionContext, EventDraft } from "./plan.ts";
import { requireRoutable } from "./send-message.ts";

/** Who changes a group. */
export interface Changer {
  readonly user: string;
  readonly admin: boolean;
}

/** Somebody to add, with the name for the info message. */
export interface Newcomer {
  readonly user: string;
  readonly contact: Contact;
}

/** The group of a state. Throws `not_found` when nobody has created one. */
export function requireGroup(state: ConversationState): GroupRecord {
  if (state.group === null) throw new ChatError("not_found", "there is no such group");
  return state.group;
}

function requireOwner(group: GroupRecord, changer: Changer): void {
  if (!changer.admin && changer.user !== group.owner) {
    throw new ChatError("forbidden", "only the group's owner may do that");
  }
}

function touched(group: GroupRecord, context: DecisionContext): GroupRecord {
  return { ...group, updatedOn: context.now };
}

/** Adds a member: it sees the newest 200 numbers before it, and all that follow. */
export function addMember(changer: Changer, newcomer: Newcomer): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    requireOwner(group, changer);
    if (state.isMember(newcomer.user)) throw new ChatError("already_member");
    requireRoom(state, 1);
    requireRoutable(state.app, newcomer.user, state.conversation);
    const messagelabel = {
      key: "MEMBER_JOINED_GROUP",
      parameters: joinedParameters(newcomer.user, newcomer.contact),
    };
    const body = { member_id: newcomer.user, announce: true, notification: { messagelabel } };
    return {
      events: [
        groupEvent("member_added", changer.user, body, context),
        addedInfo(group.name, newcomer.user, newcomer.contact, context),
      ],
      group: touched(group, context),
      members: [joined(state, newcomer.user)],
    };
  };
}

/** Removes a member: by itself, the owner or an admin; the owner only by itself or an admin. */
export function removeMember(changer: Changer, member: string): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    const self = changer.user === member;
    const allowed = changer.admin || self || (changer.user === group.owner && member !== group.owner);
    if (!allowed) throw new ChatError("forbidden", "only the group's owner or the member itself may do that");
    const record = state.members.get(member);
    if (record === undefined || !state.isMember(member)) throw new ChatError("not_member", "no such member");
    const messagelabel = { key: "MEMBER_LEFT_GROUP", parameters: { member_id: member } };
    const body = { member_id: member, announce: true, notification: { messagelabel } };
    return {
      events: [
        groupEvent("member_removed", changer.user, body, context),
        removedInfo(group.name, member, context),
      ],
      group: touched(group, context),
      members: [withEnd(record, state.head + 1)],
    };
  };
}

/**
 * Replaces the members. Present members hear of it in one S6; newcomers get an info message and the history. Of more than
 * 200 changes only the last is told to everybody live, and newcomers read the history themselves.
 */
export function setMembers(changer: Changer, wanted: readonly Newcomer[]): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    requireOwner(group, changer);
    const names = new Set(wanted.map(({ user }) => user));
    const added = wanted.filter(({ user }) => !state.isMember(user));
    const removed = state.present().filter((user) => !names.has(user));
    if (added.length === 0 && removed.length === 0) {
      throw new ChatError("conflict", "Same members in group, skipping setGroupMembers()");
    }
    requireRoom(state, added.length - removed.length);
    for (const { user } of added) requireRoutable(state.app, user, state.conversation);
    const body = { announce: true, except: added.map(({ user }) => user) };
    const events: EventDraft[] = [groupEvent("group_updated", changer.user, body, context)];
    const members: MemberRecord[] = [];
    const lastChange = added.length + removed.length;
    const change = (type: "member_added" | "member_removed", user: string) => {
      const isQuiet = lastChange > joinedInfoMembers && events.length < lastChange;
      const about = { member_id: user, announce: false, ...(isQuiet ? { quiet: true as const } : {}) };
      events.push(groupEvent(type, changer.user, about, context));
    };
    for (const user of removed) {
      change("member_removed", user);
      const record = state.members.get(user);
      if (record !== undefined) members.push(withEnd(record, state.head + events.length));
    }
    for (const { user } of added) {
      change("member_added", user);
      members.push(joined(state, user));
    }
    if (added.length <= joinedInfoMembers) {
      for (const { user, contact } of added) events.push(addedInfo(group.name, user, contact, context));
    }
    return { events, group: touched(group, context), members };
  };
}

/** Renames a group. */
export function renameGroup(changer: Changer, name: string): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    requireOwner(group, changer);
    const messagelabel = { key: "DATA_UPDATED_GROUP", parameters: { group_name: name } };
    const body = { name, announce: true, notification: { messagelabel } };
    return {
      events: [groupEvent("group_updated", changer.user, body, context)],
      group: { ...touched(group, context), name },
    };
  };
}

/** Replaces a group's attributes. */
export function setGroupAttributes(changer: Changer, attributes: string): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    requireOwner(group, changer);
    const value: unknown = JSON.parse(attributes);
    const messagelabel = { key: "ATTRIBUTES_UPDATED_GROUP", parameters: { attributes: value } };
    const body = { attributes: value, announce: true, notification: { messagelabel } };
    return {
      events: [groupEvent("group_updated", changer.user, body, context)],
      group: { ...touched(group, context), attributes },
    };
  };
}

function joined(state: ConversationState, user: string): MemberRecord {
  const known = state.members.get(user) ?? { user, role: "member", intervals: [] };
  const lastSeen = known.intervals.at(-1)?.[1] ?? 0;
  const from = Math.max(1, state.head - limits.joinReplay + 1, lastSeen + 1);
  return withInterval(known, from, null);
}

function requireRoom(state: ConversationState, more: number): void {
  if (state.present().length + more > limits.groupMembers) {
    throw new ChatError("bad_request", `a group has at most ${limits.groupMembers} members`);
  }
}
