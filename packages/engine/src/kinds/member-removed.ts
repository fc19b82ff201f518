import { ChatError, eventKinds } from "@chat21/protocol";
import { isOpen, withEnd } from "../working-conversation.ts";
import { groupEvent, groupKind } from "./group-event.ts";
import type { Changer } from "./group-rights.ts";
import { hasOwnerRights, requireGroup, touched, withSuccessor } from "./group-rights.ts";
import { leftParameters, removedInfo } from "./info-message.ts";
import type { Decide } from "./plan.ts";

/** A member left a group or was removed. The event is the last one that the member sees. */
export const memberRemoved = groupKind(eventKinds.member_removed);

/**
 * Removes a member: by itself, the owner or an admin; the owner only by itself or an admin. When the owner goes, the
 * group passes on to the member of longest standing.
 */
export function removeMember(changer: Changer, member: string): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    const self = changer.user === member;
    const allowed = changer.admin || self || (hasOwnerRights(state, changer.user) && member !== group.owner);
    if (!allowed) throw new ChatError("forbidden", "only the group's owner or the member itself may do that");
    const record = state.members.get(member);
    if (record === undefined || !state.isMember(member)) throw new ChatError("not_member", "no such member");
    const stay = [...state.members.values()].filter((one) => isOpen(one) && one.user !== member);
    const succession = withSuccessor(group, [member], stay);
    const change = { member, by: changer.user, newOwner: succession.newOwner };
    const messagelabel = { key: "MEMBER_LEFT_GROUP", parameters: leftParameters(change) };
    const body = {
      member_id: member,
      ...(succession.newOwner === null ? {} : { owner: succession.newOwner }),
      announce: true,
      notification: { messagelabel },
    };
    return {
      events: [
        groupEvent("member_removed", changer.user, body, context),
        removedInfo(group.name, change, context),
      ],
      group: touched(succession.group, context),
      members: [{ ...withEnd(record, state.head + 1), role: "member" }, ...succession.members],
    };
  };
}
