import { systemUser } from "@chat21/protocol";
import type { Contact } from "../ports/contacts.ts";
import type { Newcomer } from "./group-rights.ts";
import type { DecisionContext, EventDraft } from "./plan.ts";
import { quotedName } from "./quoted-name.ts";

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
      text: `${quotedName(contact.fullname) || member} joined group on creation`,
      key: "MEMBER_JOINED_GROUP",
      parameters: joinedParameters(member, contact),
    },
    context,
  );
}

/** "… added to group". */
export function addedInfo(
  groupName: string,
  { user: member, contact }: Newcomer,
  by: string,
  context: DecisionContext,
): EventDraft {
  return infoMessage(
    groupName,
    {
      text: `${quotedName(contact.firstname) || member} added to group`,
      key: "MEMBER_JOINED_GROUP",
      parameters: { ...joinedParameters(member, contact), added_by: by },
    },
    context,
  );
}

/** A member who went, who did it, and who owns the group from now on (`null`: as before). */
interface Departure {
  readonly member: string;
  readonly by: string;
  readonly newOwner: string | null;
}

/** "… removed from group". */
export function removedInfo(groupName: string, change: Departure, context: DecisionContext): EventDraft {
  return infoMessage(
    groupName,
    {
      text: `${change.member} removed from group`,
      key: "MEMBER_LEFT_GROUP",
      parameters: leftParameters(change),
    },
    context,
  );
}

/** "Group renamed to …". Its label is that of the group notification, which clients know. */
export function renamedInfo(groupName: string, by: string, context: DecisionContext): EventDraft {
  return infoMessage(
    groupName,
    {
      text: `Group renamed to ${quotedName(groupName)}`,
      key: "DATA_UPDATED_GROUP",
      parameters: { group_name: quotedName(groupName), updated_by: by },
    },
    context,
  );
}

/**
 * Parameters of `MEMBER_LEFT_GROUP`, in info messages and in group notifications. `removed_by` is absent for one who
 * left, `owner` when the owner is the same as before.
 */
export function leftParameters({ member, by, newOwner }: Departure): Record<string, string> {
  return {
    member_id: member,
    ...(by === member ? {} : { removed_by: by }),
    ...(newOwner === null ? {} : { owner: newOwner }),
  };
}

/** Parameters of `MEMBER_JOINED_GROUP`, in info messages and in group notifications. */
export function joinedParameters(member: string, contact: Contact): Record<string, string> {
  return {
    member_id: member,
    fullname: quotedName(contact.fullname),
    firstname: quotedName(contact.firstname),
    lastname: quotedName(contact.lastname),
  };
}
