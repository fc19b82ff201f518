import type { ConversationEvent, Message } from "@chat21/protocol";
import { messageStatus } from "@chat21/protocol";
import type { Watermarks } from "../api/conversation.ts";
import type { ChatMessage, MessageState } from "../api/message.ts";

/** The point of view from which a message is shown. */
export interface Viewpoint {
  readonly user: string;
  readonly conversWith: string;
  /** `null` in groups. */
  readonly counterpart: Watermarks | null;
}

/** A message of the log in the user's present view; `null` for any other event. */
export function projectEvent(event: ConversationEvent, viewpoint: Viewpoint): ChatMessage | null {
  const { type, seq, message, overlay } = event;
  if (type !== "message") return null;
  if (overlay?.deleted !== undefined) return projectDeleted(event, viewpoint);
  return message === undefined ? null : projectMessage({ ...message, seq }, viewpoint);
}

/** A message of the wire in the user's view. */
export function projectMessage(wire: Message, viewpoint: Viewpoint): ChatMessage {
  const own = wire.sender === viewpoint.user;
  const clientMessageId = wire.client_message_id ?? null;
  const message: ChatMessage = {
    key: own && clientMessageId !== null ? clientMessageId : wire.message_id,
    conversWith: viewpoint.conversWith,
    seq: wire.seq ?? null,
    messageId: wire.message_id,
    clientMessageId,
    sender: wire.sender,
    senderFullname: textOf(wire.sender_fullname) || wire.sender,
    recipient: wire.recipient,
    recipientFullname: textOf(wire.recipient_fullname) || wire.recipient,
    text: textOf(wire.text),
    type: textOf(wire.type ?? "text"),
    timestamp: wire.timestamp,
    attributes: typeof wire.attributes === "object" ? { ...wire.attributes } : {},
    metadata: wire.metadata ?? null,
    own,
    state: own ? "sent" : "received",
    error: null,
    deleted: false,
    wire,
  };
  return withWatermarks(message, viewpoint.counterpart);
}

/** The text of a value. Foreign clients send numbers, too; an object is no text. */
export const textOf = (value: unknown) => (typeof value === "object" ? "" : String(value ?? ""));

/** The remains of a message that was deleted before this client saw it. */
function projectDeleted(event: ConversationEvent, viewpoint: Viewpoint): ChatMessage {
  const { seq, timestamp, sender, epoch } = event;
  const { user, conversWith, counterpart } = viewpoint;
  const wire = {
    message_id: `${epoch}/${conversWith}/${seq}`,
    sender,
    recipient: sender === user || counterpart === null ? conversWith : user,
    app_id: "",
    timestamp,
    status: messageStatus.delivered,
    seq,
  };
  return { ...deleteMessage(projectMessage(wire, viewpoint)), messageId: null };
}

/** The remains of a message that is deleted now. */
export function deleteMessage(message: ChatMessage): ChatMessage {
  return { ...message, text: "", type: "text", attributes: {}, metadata: null, deleted: true, wire: null };
}

/** The message with its state by the counterpart's watermarks. The same object when the state is unchanged. */
export function withWatermarks(message: ChatMessage, counterpart: Watermarks | null): ChatMessage {
  const { own, seq, wire } = message;
  if (!own || seq === null || counterpart === null) return message;
  const told = wire?.status === messageStatus.returnReceipt || seq <= counterpart.delivered;
  const state: MessageState = seq <= counterpart.read ? "read" : told ? "delivered" : "sent";
  return state === message.state ? message : { ...message, state };
}
