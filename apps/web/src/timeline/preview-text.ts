import type { ChatMessage } from "@chat21/client-sdk";
import { isBlank } from "../ui/foreign-text.ts";

/** Returns a message as one line of text. */
export function previewText(message: ChatMessage): string {
  // A line shows the beginning: the rest of a long text would only take time.
  const text = message.text.slice(0, previewCharacters).replace(/\s+/gu, " ").trim();
  if (!isBlank(text)) return text;
  return message.type === "text" ? "(empty message)" : `(${message.type})`;
}

const previewCharacters = 500;
