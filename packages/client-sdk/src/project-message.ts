import type { Message } from "@chat21/protocol";
import { ChatError, looksLikeGroupId, messageStatus, serverKeys } from "@chat21/protocol";
import type { Watermarks } from "./conversation.ts";
import type { ChatMessage, MessageDraft, MessageState } from "./message.ts";

/** From whose point of view a message is shown. */
export interface Viewpoint {
  readonly user: string;
  readonly conversWith: string;
  /** `null` in groups. */
  readonly counterpart: Watermarks | null;
}

/** A message of the wire as its user sees it. */
export function projectMessage(wire: Message, viewpoint: Viewpoint): ChatMessage {
  const own = wire.sender === viewpoint.user;
  const clientMessageId = wire.client_message_id ?? null;
  const seq = wire.seq ?? null;
  return {
    key: own && clientMessageId !== null ? clientMessageId : wire.message_id,
    conversWith: viewpoint.conversWith,
    seq,
    messageId: wire.message_id,
    clientMessageId,
    sender: wire.sender,
    senderFullname: wire.sender_fullname || wire.sender,
    recipient: wire.recipient,
    recipientFullname: wire.recipient_fullname || wire.recipient,
    text: wire.text ?? "",
    type: wire.type ?? "text",
    timestamp: wire.timestamp,
    attributes: wire.attributes ?? {},
    metadata: wire.metadata ?? null,
    own,
    state: own ? ownState(wire, viewpoint.counterpart) : "received",
    error: null,
    wire,
  };
}

function ownState({ seq, status }: Message, counterpart: Watermarks | null): MessageState {
  if (counterpart === null) return "sent";
  if (seq !== undefined && seq <= counterpart.read) return "read";
  const told = status === messageStatus.returnReceipt || (seq !== undefined && seq <= counterpart.delivered);
  return told ? "delivered" : "sent";
}

/** The same object when its state stays what it was. */
export function withWatermarks(message: ChatMessage, counterpart: Watermarks | null): ChatMessage {
  if (!message.own || message.wire === null) return message;
  const state = ownState(message.wire, counterpart);
  return state === message.state ? message : { ...message, state };
}

/** Whether a message shows up in conversation lists. */
export function isListed(message: {
  readonly attributes?: Readonly<Record<string, unknown>> | null | undefined;
}): boolean {
  return message.attributes?.["updateconversation"] !== false;
}

/** Who is called how in a draft that does not say. */
export interface DraftNames {
  readonly senderFullname: string;
  readonly recipientFullname: string;
}

/** P1 of a draft, without what is added when it is sent. Throws `bad_request` for keys that only the server writes. */
export function bodyOf(to: string, draft: MessageDraft, names: DraftNames): Record<string, unknown> {
  const { extra = {} } = draft;
  const forbidden = [...serverKeys, "client_message_id"].find((key) => Object.hasOwn(extra, key));
  if (forbidden !== undefined)
    throw new ChatError("bad_request", `extra must not hold ${forbidden}: the server writes it`);
  return {
    ...extra,
    text: draft.text ?? "",
    type: draft.type ?? "text",
    sender_fullname: draft.senderFullname ?? names.senderFullname,
    recipient_fullname: draft.recipientFullname ?? names.recipientFullname,
    channel_type: looksLikeGroupId(to) ? "group" : "direct",
    attributes: draft.attributes ?? {},
    metadata: draft.metadata ?? "",
  };
}
