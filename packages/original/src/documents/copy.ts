import {
  conversationIdOf,
  fitsRoutingKeys,
  isGroupId,
  isId,
  isUserId,
  limits,
  looksLikeGroupId,
  toWireConversWith,
  toWireId,
} from "@chat21/protocol";
import type { Refused } from "../refusals.ts";

/** A document of an original Chat21's database, or the same as JSON in one of its queues. */
export type OriginalDocument = Readonly<Record<string, unknown>>;

/** The facts of one member's copy of a message, without its content. */
export interface OriginalCopy {
  readonly app: string;
  /** Its id in the new store. */
  readonly conversation: string;
  readonly kind: "direct" | "group";
  readonly messageId: string;
  readonly sender: string;
  /** Owner of the copy; `null`: the group's own timeline. */
  readonly owner: string | null;
  /** Milliseconds. */
  readonly timestamp: number;
  /** `false`: the copy has no possible timestamp, and got the time at which its document was made. */
  readonly isTimeKnown: boolean;
  /** The timestamp was given in seconds. */
  readonly isTimeInSeconds: boolean;
  readonly status: number;
  /** Replayed to a user who joined later; such copies have changed attributes. */
  readonly isHistory: boolean;
  /** `attributes.tempUID`, by which a receipt may have named the message. */
  readonly tempUid: string | null;
}

/** A receipt that named a message by an id which its timeline does not have: a document with nothing else in it. */
export interface OriginalStub {
  /** The id that the receipt named; `null` when even that is missing. */
  readonly stubOf: string | null;
  readonly owner: string | null;
  readonly status: number;
}

/** Facts that reading a copy needs besides the document. */
export interface CopyContext {
  /** Milliseconds. */
  readonly now: number;
  /** Time when the document was made, milliseconds; `null` when unknown. */
  readonly createdAt: number | null;
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/**
 * Numbers from here on, up to a hundred times as much, are seconds: from September 2001 to the year 5138. Taken as
 * milliseconds they would lie in January 1970 or in the three years after it, when nobody chatted.
 */
const firstSecond = 1e9;

/** A time of an original's document. */
export interface OriginalTime {
  /** Milliseconds; `null`: the value cannot be a time of the past. */
  readonly at: number | null;
  readonly isInSeconds: boolean;
}

/** Reads a time in any form that clients wrote: milliseconds or seconds, as a number or digits, a `Date`, or ISO 8601. */
export function originalTime(value: unknown, now: number): OriginalTime {
  const number = numberOf(value);
  const isInSeconds = number >= firstSecond && number < 100 * firstSecond;
  const at = Math.floor(isInSeconds ? number * 1_000 : number);
  const isTime = at >= 1 && at <= now + limits.timestampFutureMs;
  return { at: isTime ? at : null, isInSeconds: isTime && isInSeconds };
}

function numberOf(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  const number = Number(value ?? Number.NaN);
  return typeof value === "string" && Number.isNaN(number) ? Date.parse(value) : number;
}

/** Reads one copy of a message. Answers its facts, or the reason why it cannot be taken over. */
export function readOriginalCopy(
  document: OriginalDocument,
  { now, createdAt }: CopyContext,
): OriginalCopy | OriginalStub | Refused {
  const [sender, recipient] = [text(document["sender"]), text(document["recipient"])];
  const owner = wireIdOf(document["timelineOf"]);
  const messageId = text(document["message_id"]);
  const status = typeof document["status"] === "number" ? document["status"] : 0;
  if (sender === null || recipient === null) return { stubOf: messageId, owner, status };
  const place = placeOf(document, sender, recipient, owner);
  if ("refused" in place) return place;
  if (!isId(messageId)) return { refused: "invalid_id", detail: "message_id" };
  const given = originalTime(document["timestamp"], now);
  const timestamp = given.at ?? createdAt;
  if (timestamp === null) return { refused: "time_missing" };
  return {
    ...place,
    messageId,
    timestamp,
    isTimeKnown: given.at !== null,
    isTimeInSeconds: given.isInSeconds,
    status,
    isHistory: document["__history"] !== undefined,
    tempUid: tempUidOf(document),
  };
}

function placeOf(
  document: OriginalDocument,
  givenSender: string,
  givenRecipient: string,
  owner: string | null,
): Pick<OriginalCopy, "app" | "conversation" | "kind" | "owner" | "sender"> | Refused {
  const app = text(document["app_id"]);
  if (app === null) return { refused: "app_missing" };
  const isGroup = isOriginalGroup(document, givenRecipient);
  if (isGroup && !looksLikeGroupId(givenRecipient))
    return { refused: "group_id_like_a_users", detail: givenRecipient };
  const sender = toWireId(givenSender);
  const recipient = isGroup ? givenRecipient : toWireId(givenRecipient);
  if (!isId(app)) return { refused: "invalid_id", detail: "app_id" };
  if (sender === null) return { refused: "invalid_id", detail: "sender" };
  if (recipient === null || (isGroup && !isGroupId(recipient)))
    return { refused: "invalid_id", detail: "recipient" };
  if (!fitsRoutingKeys(app, sender, recipient)) return { refused: "ids_too_long" };
  const conversWith = wireIdOf(document["conversWith"]);
  const isOfGroup = isGroup && conversWith === recipient && owner !== null;
  const isOfPair =
    !isGroup &&
    ((owner === sender && conversWith === recipient) || (owner === recipient && conversWith === sender));
  if (!isOfGroup && !isOfPair) return { refused: "conversation_mismatch" };
  const isTimeline = isGroup && owner === recipient;
  if (!isTimeline && !isUserId(owner)) return { refused: "invalid_id", detail: "timelineOf" };
  const conversation = conversationIdOf(sender, recipient, isGroup);
  return { app, conversation, kind: isGroup ? "group" : "direct", sender, owner: isTimeline ? null : owner };
}

/** A user's or a group's id on the wire. What is neither stays as it is, and equals nobody's. */
function wireIdOf(value: unknown): string | null {
  const id = text(value);
  return id === null ? null : (toWireConversWith(id) ?? id);
}

/** The original's own test: by the channel type, or by the form of the id. */
export function isOriginalGroup(document: OriginalDocument, id: string): boolean {
  return document["channel_type"] === "group" || looksLikeGroupId(id);
}

function tempUidOf(document: OriginalDocument): string | null {
  const attributes = document["attributes"];
  if (typeof attributes !== "object" || attributes === null) return null;
  return text((attributes as OriginalDocument)["tempUID"]);
}
