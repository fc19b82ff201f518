import { membersOf } from "../load/group-name.ts";

const members = new Map<string, readonly string[]>();

/** Routing keys of the copies of a message that came with the key of P1: one per inbox; none of any other key. */
export function copyKeys(routingKey: string): readonly string[] {
  const [root, app, direction, , sender = "", kind, recipient = ""] = routingKey.split(".");
  if (root !== "apps" || direction !== "outgoing" || kind !== "messages") return [];
  if (recipient.startsWith("group-")) {
    return groupMembers(recipient).map((member) => inboxKey(app, member, recipient));
  }
  return [inboxKey(app, sender, recipient), inboxKey(app, recipient, sender)];
}

function inboxKey(app: string | undefined, user: string, conversWith: string): string {
  return `apps.${app}.users.${user}.messages.${conversWith}.clientadded`;
}

function groupMembers(group: string): readonly string[] {
  let found = members.get(group);
  if (found === undefined) {
    found = membersOf(group) ?? [];
    members.set(group, found);
  }
  return found;
}
