import type { ChatMessage } from "@chat21/client-sdk";

/** Returns a message as one line of text. */
export function previewText(message: ChatMessage): string {
  const text = message.text.replace(/\s+/gu, " ").trim();
  if (text !== "") return text;
  return message.type === "text" ? "(empty message)" : `(${message.type})`;
}
