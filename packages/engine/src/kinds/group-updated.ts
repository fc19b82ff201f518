import { ChatError, eventKinds } from "@chat21/protocol";
import type { MemberRecord } from "../ports/records.ts";
import { isOpen, withEnd } from "../working-conversation.ts";
import { joinedInfoMembers } from "./group-created.ts";
import { groupEvent, groupKind } from "./group-event.ts";
import type { Changer, Newcomer } from "./group-rights.ts";
import {
  firstSeen,
  joined,
  requireGroup,
  requireOwner,
  requireRoom,
  touched,
  withSuccessor,
} from "./group-rights.ts";
import { addedInfo, removedInfo, renamedInfo } from "./info-message.ts";
import { requireRoutable } from "./message.ts";
import type { Decide, EventDraft } from "./plan.ts";

/** A group has a new name, new attributes, or (with neither) new members, who have events of their own. */
export const groupUpdated = groupKind(eventKinds.group_updated);

/**
 * Replaces the members. Present members hear of it in one S6; newcomers get an info message and the history. Of more
 * than 200 changes only the last one is told live to all members, and newcomers read the history themselves. An owner
 * who is not among the new members passes the group on, as one who leaves.
 */
export function setMembers(changer: Changer, wanted: readonly Newcomer[]): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    requireOwner(state, changer);
    const names = new Set(wanted.map(({ user }) => user));
    const added = wanted.filter(({ user }) => !state.isMember(user));
    const removed = state.present().filter((user) => !names.has(user));
    if (added.length === 0 && removed.length === 0) {
      throw new ChatError("conflict", "Same members in group, skipping setGroupMembers()");
    }
    requireRoom(state, added.length - removed.length);
    for (const { user } of added) requireRoutable(state.app, user, state.conversation);
    const stay = [...state.members.values()].filter((one) => isOpen(one) && names.has(one.user));
    const floor = firstSeen(state);
    const arriving = added.map(({ user }) => joined(state, user, floor));
    const succession = withSuccessor(group, removed, [...stay, ...arriving]);
    const owner = succession.newOwner === null ? {} : { owner: succession.newOwner };
    const body = { ...owner, announce: true, except: added.map(({ user }) => user) };
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
      if (record !== undefined)
        members.push({ ...withEnd(record, state.head + events.length), role: "member" });
    }
    for (const member of arriving) {
      change("member_added", member.user);
      members.push(member);
    }
    if (removed.length <= joinedInfoMembers) {
      for (const member of removed) {
        const newOwner = member === group.owner ? succession.newOwner : null;
        events.push(removedInfo(group.name, { member, by: changer.user, newOwner }, context));
      }
    }
    if (added.length <= joinedInfoMembers) {
      for (const newcomer of added) events.push(addedInfo(group.name, newcomer, changer.user, context));
    }
    const changed = new Map([...members, ...succession.members].map((member) => [member.user, member]));
    return { events, group: touched(succession.group, context), members: [...changed.values()] };
  };
}

/** Renames a group. */
export function renameGroup(changer: Changer, name: string): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    requireOwner(state, changer);
    const messagelabel = { key: "DATA_UPDATED_GROUP", parameters: { group_name: name } };
    const body = { name, announce: true, notification: { messagelabel } };
    const events = [groupEvent("group_updated", changer.user, body, context)];
    // A name that is set again is no news for the timeline.
    if (name !== group.name) events.push(renamedInfo(name, changer.user, context));
    return {
      events,
      group: { ...touched(group, context), name },
    };
  };
}

/** Replaces a group's attributes. */
export function setGroupAttributes(changer: Changer, attributes: string): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    requireOwner(state, changer);
    const value: unknown = JSON.parse(attributes);
    const messagelabel = { key: "ATTRIBUTES_UPDATED_GROUP", parameters: { attributes: value } };
    const body = { attributes: value, announce: true, notification: { messagelabel } };
    return {
      events: [groupEvent("group_updated", changer.user, body, context)],
      group: { ...touched(group, context), attributes },
    };
  };
}
