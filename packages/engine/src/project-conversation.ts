import { conversWithOf, limits } from "@chat21/protocol";
import type { JsonText } from "./engine.ts";
import { appendMembers, cutMembers } from "./json-text.ts";
import type { ConversationView, GroupRecord, GroupSummaryRecord } from "./ports/records.ts";
import { copyIdOf, serverMembers, statusFor } from "./project-message.ts";
import { beginningOf, withText } from "./short-text.ts";
import { isArchived, isNew, isOnList } from "./view/view.ts";
import type { WorkingConversation } from "./working-conversation.ts";

const listKeys: ReadonlySet<string> = new Set(["key", "is_new", "archived", "last_message_text"]);

/**
 * A conversation as REST lists it and S4 and S5 carry it; `null` when its user sees no message in it. `textCharacters`:
 * a longer text is cut, so that a list of 1,000 conversations is not as large as 1,000 of the longest messages.
 */
export function conversationJson(
  view: ConversationView,
  epoch: string,
  user: string,
  textCharacters: number = Number.POSITIVE_INFINITY,
): JsonText | null {
  const { last, state, conversation } = view;
  if (last === null) return null;
  const conversWith = conversWithOf(conversation, user);
  const message = JSON.parse(last.body) as Record<string, unknown>;
  const given = typeof message["text"] === "string" ? message["text"] : "";
  const text = beginningOf(given, textCharacters);
  const clash = [...listKeys].some((key) => Object.hasOwn(message, key));
  const kept = clash ? cutMembers(last.body, listKeys) : last.body;
  const body = text === given ? kept : withText(kept, text);
  const status = statusFor(last, user, { own: state, counterpart: view.counterpart });
  return appendMembers(
    body,
    `${serverMembers(last, epoch)},"status":${status},"timelineOf":"${user}","conversWith":"${conversWith}",` +
      `"key":"${conversWith}","is_new":${isNew(state, last)},"archived":${isArchived(view)},` +
      `"last_message_text":${JSON.stringify(text)},"_id":"${copyIdOf(user, conversWith)}"`,
  );
}

/** `conversationStateSchema`: the facts of a conversation beside its events. */
export function conversationStateJson(view: ConversationView, epoch: string, user: string): JsonText {
  const { conversation, kind, head, state, counterpart } = view;
  const document = isOnList(view) ? conversationJson(view, epoch, user, limits.listTextCharacters) : null;
  return (
    `{"conversWith":"${conversWithOf(conversation, user)}","kind":"${kind}","head":${head},` +
    `"unread":${view.unread},"delivered":${state.delivered},"read":${state.read},"archived":${isArchived(view)}` +
    (counterpart === null
      ? ""
      : `,"counterpart":{"delivered":${counterpart.delivered},"read":${counterpart.read}}`) +
    `${document === null ? "" : `,"conversation":${document}`}}`
  );
}

/** Data of a group document. */
export interface GroupFacts {
  readonly app: string;
  readonly id: string;
  readonly group: GroupRecord;
  readonly members: readonly string[];
}

/** The facts of a state's group, as it is now. */
export function groupFacts(state: WorkingConversation, group: GroupRecord): GroupFacts {
  return { app: state.app, id: state.conversation, group, members: state.present() };
}

/** A group as lists of groups show it (`groupSummarySchema`). */
export function groupSummaryJson({ app, conversation, group, memberCount }: GroupSummaryRecord): JsonText {
  return (
    `{"uid":"${conversation}","name":${JSON.stringify(group.name)},"appId":"${app}","owner":"${group.owner}",` +
    `"memberCount":${memberCount},"createdOn":${group.createdOn},"updatedOn":${group.updatedOn}` +
    `${group.attributes === null ? "" : `,"attributes":${group.attributes}`}}`
  );
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
