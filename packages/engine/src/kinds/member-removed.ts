import { ChatError, eventKinds } from "@chat21/protocol";
import { withEnd } from "../working-conversation.ts";
import { groupEvent, groupKind } from "./group-event.ts";
import type { Changer } from "./group-rights.ts";
import { requireGroup, touched } from "./group-rights.ts";
import { removedInfo } from "./info-message.ts";
import type { Decide } from "./plan.ts";

/** A member left a group or was removed. The event is the last one that the member sees. */
export const memberRemoved = groupKind(eventKinds.member_removed);

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
