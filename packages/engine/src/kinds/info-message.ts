import { systemUser } from "@chat21/protocol";
import type { Contact } from "../ports/contacts.ts";
import type { DecisionContext, EventDraft } from "./plan.ts";

/** A sentence by `system`, and the label that clients use to translate it. */
interface Info {
  readonly text: string;
  readonly key: string;
  readonly parameters: Readonly<Record<string, string>>;
}

function infoMessage(groupName: string, info: Info, context: DecisionContext): EventDraft {
  return {
    type: "message",
    sender: systemUser,
    messageId: context.newId(),
    body: JSON.stringify({
      text: info.text,
      type: "text",
      recipient_fullname: groupName,
      sender_fullname: "System",
      channel_type: "group",
      attributes: {
        subtype: "info",
        updateconversation: true,
        messagelabel: { key: info.key, parameters: info.parameters },
      },
    }),
  };
}

/** "Group created". */
export function groupCreatedInfo(groupName: string, creator: string, context: DecisionContext): EventDraft {
  return infoMessage(
    groupName,
    { text: "Group created", key: "GROUP_CREATED", parameters: { creator } },
    context,
  );
}

/** "… joined group on creation": one for each initial member. */
export function joinedOnCreationInfo(
  groupName: string,
  member: string,
  contact: Contact,
  context: DecisionContext,
): EventDraft {
  return infoMessage(
    groupName,
    {
      text: `${contact.fullname} joined group on creation`,
      key: "MEMBER_JOINED_GROUP",
      parameters: joinedParameters(member, contact),
    },
    context,
  );
}

/** "… added to group". */
export function addedInfo(
  groupName: string,
  member: string,
  contact: Contact,
  context: DecisionContext,
): EventDraft {
  return infoMessage(
    groupName,
    {
      text: `${contact.firstname || member} added to group`,
      key: "MEMBER_JOINED_GROUP",
      parameters: joinedParameters(member, contact),
    },
    context,
  );
}

/** "… removed from group". */
export function removedInfo(groupName: string, member: string, context: DecisionContext): EventDraft {
  return infoMessage(
    groupName,
    { text: `${member} removed from group`, key: "MEMBER_LEFT_GROUP", parameters: { member_id: member } },
    context,
  );
}

/** Parameters of `MEMBER_JOINED_GROUP`, in info messages and in group notifications. */
export function joinedParameters(member: string, contact: Contact): Record<string, string> {
  return {
    member_id: member,
    fullname: contact.fullname,
    firstname: contact.firstname,
    lastname: contact.lastname,
  };
}
