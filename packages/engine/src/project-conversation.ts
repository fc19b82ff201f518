import { conversWithOf } from "@chat21/protocol";
import type { ConversationState } from "./conversation-state.ts";
import type { JsonText } from "./engine.ts";
import { appendMembers, cutMembers } from "./json-text.ts";
import type { ConversationView, EventRecord, GroupRecord } from "./ports/records.ts";
import { copyIdOf, serverMembers, statusFor } from "./project-message.ts";

/** Whether the conversation is in the user's archive: archived, and no listed message has come since. */
export function isArchived(view: ConversationView): boolean {
  const { archivedAt } = view.state;
  return archivedAt !== null && (view.last === null || view.last.seq <= archivedAt);
}

const listKeys: ReadonlySet<string> = new Set(["key", "is_new", "archived", "last_message_text"]);

/** A conversation as REST lists it and S4 and S5 carry it; `null` when its user sees no message in it. */
export function conversationJson(view: ConversationView, epoch: string, user: string): JsonText | null {
  const { last, state, record } = view;
  if (last === null) return null;
  const conversWith = conversWithOf(record.conversation, user);
  const message = JSON.parse(last.body) as Record<string, unknown>;
  const clash = [...listKeys].some((key) => Object.hasOwn(message, key));
  const body = clash ? cutMembers(last.body, listKeys) : last.body;
  const text = typeof message["text"] === "string" ? message["text"] : "";
  const status = statusFor(last, user, { own: state, counterpart: view.counterpart });
  return appendMembers(
    body,
    `${serverMembers(last, epoch)},"status":${status},"timelineOf":"${user}","conversWith":"${conversWith}",` +
      `"key":"${conversWith}","is_new":${isNew(view, last)},"archived":${isArchived(view)},` +
      `"last_message_text":${JSON.stringify(text)},"_id":"${copyIdOf(user, conversWith)}"`,
  );
}

function isNew({ state }: ConversationView, last: EventRecord): boolean {
  return state.markedUnread || state.read < last.seq;
}

/** `conversationStateSchema`: what sync says of a conversation beside its events. */
export function conversationStateJson(
  view: ConversationView,
  epoch: string,
  user: string,
  head: number,
): JsonText {
  const { record, state, counterpart } = view;
  const document = conversationJson(view, epoch, user);
  return (
    `{"conversWith":"${conversWithOf(record.conversation, user)}","kind":"${record.kind}","head":${head},` +
    `"unread":${view.unread},"delivered":${state.delivered},"read":${state.read},"archived":${isArchived(view)}` +
    (counterpart === null
      ? ""
      : `,"counterpart":{"delivered":${counterpart.delivered},"read":${counterpart.read}}`) +
    `${document === null ? "" : `,"conversation":${document}`}}`
  );
}

/** What a group document is made of. */
export interface GroupFacts {
  readonly app: string;
  readonly id: string;
  readonly group: GroupRecord;
  readonly members: readonly string[];
}

/** The facts of a state's group, as it is now. */
export function groupFacts(state: ConversationState, group: GroupRecord): GroupFacts {
  return { app: state.app, id: state.conversation, group, members: state.present() };
}

/** A group's document: REST, and with `notification` S6. */
export function groupJson(
  facts: GroupFacts,
  options: { readonly withId: boolean; readonly notification?: unknown },
): JsonText {
  const { app, id, group, members } = facts;
  const list = members.map((user) => `"${user}":1`).join(",");
  return (
    `{${options.withId ? `"_id":"${copyIdOf(app, id)}",` : ""}"uid":"${id}","name":${JSON.stringify(group.name)},` +
    `"appId":"${app}","owner":"${group.owner}","members":{${list}},"createdOn":${group.createdOn},` +
    `"updatedOn":${group.updatedOn}` +
    (group.attributes === null ? "" : `,"attributes":${group.attributes}`) +
    `${options.notification === undefined ? "" : `,"notification":${JSON.stringify(options.notification)}`}}`
  );
}
