import type { ConversationKey } from "./documents.ts";

/** A conversation's key as one text, to find it in maps and sets. */
export function conversationName({ app, conversation }: ConversationKey): string {
  return `${app}\n${conversation}`;
}
