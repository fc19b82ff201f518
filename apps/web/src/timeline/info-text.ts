import type { ChatMessage } from "@chat21/client-sdk";
import { systemUser } from "@chat21/protocol";
import { shownName } from "../ui/foreign-text.ts";

/**
 * Returns the text of one info message, or of several joins together. An unknown label gives the server's own text.
 */
export function infoText(messages: readonly ChatMessage[], nameOf: NameOf): string {
  const [first] = messages;
  if (first === undefined) return "";
  const { key, parameters } = labelOf(first);
  const members = messages
    .map((message) => memberName(labelOf(message).parameters, nameOf))
    .filter((name) => name !== "");
  if (key === "GROUP_CREATED") {
    const creator = parameters["creator"];
    return typeof creator === "string" ? `${nameOf(creator)} created the group` : "The group was created";
  }
  if (key === "DATA_UPDATED_GROUP") {
    const { group_name: name, updated_by: by } = parameters;
    if (typeof name !== "string" || typeof by !== "string") return first.text;
    return `${nameOf(by)} renamed the group to “${shownName(name, "")}”`;
  }
  if (members.length === 0) return first.text;
  if (key === "MEMBER_JOINED_GROUP") {
    const by = sameActor(messages, "added_by");
    return by === undefined
      ? `${listNames(members)} joined the group`
      : `${nameOf(by)} added ${listNames(members)}`;
  }
  if (key === "MEMBER_LEFT_GROUP") {
    const by = sameActor(messages, "removed_by");
    const heir = parameters["owner"];
    const left =
      by === undefined
        ? `${listNames(members)} left the group`
        : `${nameOf(by)} removed ${listNames(members)}`;
    return typeof heir === "string" ? `${left}. ${nameOf(heir)} owns the group now` : left;
  }
  return first.text;
}

/** Returns the name that the page shows for a user. */
export type NameOf = (user: string) => string;

/**
 * Says whether a message is an info message, such as "A joined the group". Only the server writes as `system`: what
 * others say of themselves would let them speak with the server's voice.
 */
export function isInfo(message: ChatMessage): boolean {
  return message.sender === systemUser;
}

/** Says whether an info message reports that somebody joined a group. */
export function isJoin(message: ChatMessage): boolean {
  return isInfo(message) && labelOf(message).key === "MEMBER_JOINED_GROUP";
}

/** Who did it, when all messages name the same user, and it was not the member. */
function sameActor(messages: readonly ChatMessage[], parameter: string): string | undefined {
  const actors = new Set(
    messages.map((message) => {
      const { parameters } = labelOf(message);
      const actor = parameters[parameter];
      return typeof actor === "string" && actor !== parameters["member_id"] ? actor : undefined;
    }),
  );
  const [actor] = actors;
  return actors.size === 1 ? actor : undefined;
}

const and = new Intl.ListFormat("en-GB", { type: "conjunction" });
const mostNames = 4;

function listNames(names: readonly string[]): string {
  if (names.length <= mostNames) return and.format(names);
  const shown = names.slice(0, mostNames - 1);
  return and.format([...shown, `${names.length - shown.length} others`]);
}

function memberName(parameters: Readonly<Record<string, unknown>>, nameOf: NameOf): string {
  const id = parameters["member_id"];
  if (typeof id !== "string") return "";
  const known = nameOf(id);
  const fullname = parameters["fullname"];
  return known === id && typeof fullname === "string" ? shownName(fullname, id) : known;
}

function labelOf(message: ChatMessage): { key: unknown; parameters: Readonly<Record<string, unknown>> } {
  const label = asRecord(message.attributes["messagelabel"]);
  return { key: label["key"], parameters: asRecord(label["parameters"]) };
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
