import { ChatError, eventKinds } from "@chat21/protocol";
import { groupBody, groupEvent, groupKind } from "./group-event.ts";
import type { Changer, Newcomer } from "./group-rights.ts";
import { firstSeen, joined, requireGroup, requireOwner, requireRoom, touched } from "./group-rights.ts";
import { addedInfo, joinedParameters } from "./info-message.ts";
import type { Kind } from "./kind.ts";
import { requireRoutable } from "./message.ts";
import type { Decide } from "./plan.ts";

/** A user became a member of a group, and is shown its newest messages. */
export const memberAdded: Kind = {
  ...groupKind(eventKinds.member_added),
  showsHistoryTo(event) {
    const { member_id: user, quiet } = groupBody(event);
    return user === undefined || quiet === true ? null : user;
  },
};

/** Adds a member: it sees the newest 200 numbers before it, and all that follow. */
export function addMember(changer: Changer, newcomer: Newcomer): Decide {
  return (state, context) => {
    const group = requireGroup(state);
    requireOwner(state, changer);
    if (state.isMember(newcomer.user)) throw new ChatError("already_member");
    requireRoom(state, 1);
    requireRoutable(state.app, newcomer.user, state.conversation);
    const messagelabel = {
      key: "MEMBER_JOINED_GROUP",
      parameters: { ...joinedParameters(newcomer.user, newcomer.contact), added_by: changer.user },
    };
    const body = { member_id: newcomer.user, announce: true, notification: { messagelabel } };
    return {
      events: [
        groupEvent("member_added", changer.user, body, context),
        addedInfo(group.name, newcomer, changer.user, context),
      ],
      group: touched(group, context),
      members: [joined(state, newcomer.user, firstSeen(state))],
    };
  };
}
