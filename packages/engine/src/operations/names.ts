import { directConversationId, systemUser, toOutsideId } from "@chat21/protocol";
import { appendMembers, cutMembers } from "../json-text.ts";
import type { OperationsContext } from "../operations-context.ts";
import type { EventRecord } from "../ports/records.ts";
import { everyConversation } from "./every-conversation.ts";

/** Events per read. */
const stepEvents = 200;
/** Characters per read. */
const stepCharacters = 4_000_000;

/**
 * Puts a person's id in the place of its names, in events that are not the person's own: what others addressed to it,
 * and what the system and the groups' events say of its joining. Answers the number of events.
 */
export async function eraseNames({ store }: OperationsContext, app: string, user: string): Promise<number> {
  let changed = 0;
  for await (const page of everyConversation(store.conversations, app, user)) {
    for (const conversation of page) changed += await eraseNamesIn(store, { app, conversation }, user);
  }
  if (changed > 0) await store.events.scrub();
  return changed;
}

async function eraseNamesIn(
  store: OperationsContext["store"],
  { app, conversation }: { readonly app: string; readonly conversation: string },
  user: string,
): Promise<number> {
  let changed = 0;
  for (let after = 0; ; ) {
    const range = { app, conversation, after, limit: stepEvents, characters: stepCharacters } as const;
    const events = await store.events.read({ ...range, from: "oldest" });
    const last = events.at(-1);
    if (last === undefined) return changed;
    after = last.seq;
    const bodies = events.flatMap((event) => {
      const body = withoutNames(event, user);
      return body === null ? [] : [{ seq: event.seq, body }];
    });
    if (bodies.length > 0) changed += await store.events.rewrite(app, conversation, bodies);
  }
}

/** The body without the person's names; `null`: it has none. */
function withoutNames(event: EventRecord, user: string): string | null {
  if (event.type === "member_added") return withoutNewcomer(event.body, user);
  if (event.type !== "message") return null;
  if (event.sender === systemUser) return withoutJoiner(event.body, user);
  const isToUser = event.conversation === directConversationId(event.sender, user);
  return isToUser && event.sender !== user ? withoutRecipient(event.body, user) : null;
}

function withoutRecipient(body: string, user: string): string | null {
  const name = objectOf(JSON.parse(body))["recipient_fullname"];
  if (typeof name !== "string" || name === toOutsideId(user)) return null;
  // All else that the sender wrote stays, letter by letter.
  const tail = `"recipient_fullname":${JSON.stringify(toOutsideId(user))}`;
  return appendMembers(cutMembers(body, new Set(["recipient_fullname"])), tail);
}

/** An info message such as "Ann Lee joined group on creation". */
function withoutJoiner(body: string, user: string): string | null {
  const message = objectOf(JSON.parse(body));
  const attributes = objectOf(message["attributes"]);
  const label = objectOf(attributes["messagelabel"]);
  const parameters = objectOf(label["parameters"]);
  const nameless = namelessParameters(parameters, user);
  if (nameless === null) return null;
  const text = textWithout(message["text"], parameters, user);
  const messagelabel = { ...label, parameters: nameless };
  return JSON.stringify({ ...message, text, attributes: { ...attributes, messagelabel } });
}

/** The group's event of somebody who was added. */
function withoutNewcomer(body: string, user: string): string | null {
  const event = objectOf(JSON.parse(body));
  const notification = objectOf(event["notification"]);
  const label = objectOf(notification["messagelabel"]);
  const parameters = namelessParameters(objectOf(label["parameters"]), user);
  if (parameters === null) return null;
  const messagelabel = { ...label, parameters };
  return JSON.stringify({ ...event, notification: { ...notification, messagelabel } });
}

/** Parameters of `MEMBER_JOINED_GROUP` about this person, with the id as the only name. */
function namelessParameters(parameters: JsonObject, user: string): JsonObject | null {
  if (parameters["member_id"] !== user) return null;
  const { fullname, firstname, lastname } = parameters;
  const id = toOutsideId(user);
  const isNamed = [fullname, firstname, lastname].some(
    (name) => name !== undefined && name !== "" && name !== id,
  );
  return isNamed ? { ...parameters, fullname: id, firstname: "", lastname: "" } : null;
}

/** The sentence with the id where it began with a name. */
function textWithout(text: unknown, parameters: JsonObject, user: string): unknown {
  if (typeof text !== "string") return text;
  for (const name of [parameters["fullname"], parameters["firstname"]]) {
    if (typeof name === "string" && name !== "" && text.startsWith(`${name} `))
      return toOutsideId(user) + text.slice(name.length);
  }
  return text;
}

type JsonObject = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
