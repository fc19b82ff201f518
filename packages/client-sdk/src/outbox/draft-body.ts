import { ChatError, looksLikeGroupId, serverKeys } from "@chat21/protocol";
import type { MessageDraft } from "../api/message.ts";

/** Names for a draft that gives none. */
export interface DraftNames {
  readonly senderFullname: string;
  readonly recipientFullname: string;
}

/**
 * P1 of a draft, without the keys that are added when it is sent. Throws `bad_request` for keys that only the server
 * writes.
 */
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
