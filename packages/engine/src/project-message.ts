import type { Overlay } from "@chat21/protocol";
import { directMembers, messageStatus } from "@chat21/protocol";
import type { JsonText } from "./engine.ts";
import { appendMembers, cutMembers } from "./json-text.ts";
import type { EventRecord, MemberState } from "./ports/records.ts";
import { longHash } from "./short-hash.ts";

/** The changes of a message by later events; `null`: unchanged. */
export function overlayOf({ overlay }: Pick<EventRecord, "overlay">): Overlay | null {
  return overlay === null ? null : (JSON.parse(overlay) as Overlay);
}

/** Whether a message was erased: its number stays, and its text is gone. */
export function isErased(event: Pick<EventRecord, "overlay">): boolean {
  return event.overlay !== null && overlayOf(event)?.deleted !== undefined;
}

/** The recipient of a message: the counterpart of its sender, or the group. */
export function recipientOf(event: EventRecord): string {
  const pair = directMembers(event.conversation);
  if (pair === null) return event.conversation;
  return pair[0] === event.sender ? pair[1] : pair[0];
}

/**
 * The server's members of a message's JSON, except the status: `"message_id":…,"epoch":…`. Ids need no escaping,
 * because their alphabet has neither quotes nor backslashes.
 */
export function serverMembers(event: EventRecord, epoch: string): string {
  return (
    `"message_id":"${event.messageId}","sender":"${event.sender}","recipient":"${recipientOf(event)}",` +
    `"app_id":"${event.app}","timestamp":${event.timestamp},"seq":${event.seq},"epoch":"${epoch}"`
  );
}

/** S1: the message for an inbox, the client's own text with the server's members spliced in. */
export function messageJson(event: EventRecord, epoch: string, status: number, extra = ""): JsonText {
  return appendMembers(event.body, `${serverMembers(event, epoch)},"status":${status}${extra}`);
}

/** S1 of history for a user who joined: the group's copy, silenced for push unless it insists. */
export function historyMessageJson(event: EventRecord, epoch: string): JsonText {
  const { body, copyId } = {
    body: silenced(event.body),
    copyId: copyIdOf(event.conversation, event.messageId),
  };
  const own = `,"timelineOf":"${event.conversation}","conversWith":"${event.conversation}","_id":"${copyId}"`;
  const members = `${serverMembers(event, epoch)},"status":${messageStatus.delivered}${own},"__history":"true"`;
  return appendMembers(body, members);
}

/** A message in the form of REST and sync for `user`: with the state that the user's watermarks give it. */
export function storedMessageJson(
  event: EventRecord,
  epoch: string,
  user: string,
  conversWith: string,
  watermarks: PairWatermarks,
): JsonText {
  const own = `,"timelineOf":"${user}","conversWith":"${conversWith}","_id":"${copyIdOf(user, event.messageId)}"`;
  return messageJson(event, epoch, statusFor(event, user, watermarks), own);
}

/** Watermarks that decide the state of a stored copy. */
export interface PairWatermarks {
  readonly own: Pick<MemberState, "delivered">;
  /** `null` in groups. */
  readonly counterpart: Pick<MemberState, "delivered"> | null;
}

/** State of `user`'s copy of a message. */
export function statusFor(event: EventRecord, user: string, { own, counterpart }: PairWatermarks): number {
  const pair = directMembers(event.conversation);
  if (pair === null || pair[0] === pair[1]) return messageStatus.delivered;
  if (event.sender === user) {
    const told = counterpart !== null && counterpart.delivered >= event.seq;
    return told ? messageStatus.returnReceipt : messageStatus.sent;
  }
  return own.delivered >= event.seq ? messageStatus.received : messageStatus.delivered;
}

/** A stable 24-digit hex id of a copy, where existing clients expect a document's `_id`. */
export function copyIdOf(owner: string, id: string): string {
  return longHash(`${owner}/${id}`);
}

const attributesKey: ReadonlySet<string> = new Set(["attributes"]);

/** The message without push; everything but its attributes stays unchanged. */
function silenced(body: JsonText): JsonText {
  const message = JSON.parse(body) as Record<string, unknown>;
  const given = message["attributes"];
  // An array has no place for the key.
  if (Array.isArray(given)) return body;
  const attributes = typeof given === "object" && given !== null ? (given as Record<string, unknown>) : {};
  if (attributes["forcenotification"] === true) return body;
  const quiet = JSON.stringify({ ...attributes, sendnotification: false });
  return appendMembers(cutMembers(body, attributesKey), `"attributes":${quiet}`);
}
