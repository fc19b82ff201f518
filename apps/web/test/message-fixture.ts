import type { ChatMessage } from "@chat21/client-sdk";

/** A message of somebody else, as the SDK holds it. A test replaces the fields that matter to it. */
export function message(changes: Partial<ChatMessage> & { readonly seq: number | null }): ChatMessage {
  return {
    key: `key-${changes.seq}-${changes.text ?? ""}`,
    conversWith: "grace",
    messageId: `id-${changes.seq}`,
    clientMessageId: null,
    sender: "grace",
    senderFullname: "Grace Hopper",
    recipient: "ada",
    recipientFullname: "Ada Lovelace",
    text: "",
    type: "text",
    timestamp: 0,
    attributes: {},
    metadata: null,
    own: false,
    state: "received",
    error: null,
    deleted: false,
    wire: null,
    ...changes,
  };
}

/** An info message, as the engine writes it. */
export function info(
  seq: number,
  key: string,
  parameters: object,
  changes: Partial<ChatMessage> = {},
): ChatMessage {
  const attributes = { subtype: "info", messagelabel: { key, parameters } };
  return message({
    seq,
    sender: "system",
    senderFullname: "System",
    text: "from the server",
    attributes,
    ...changes,
  });
}
