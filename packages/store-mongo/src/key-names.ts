import type { AccountKey, ConversationKey } from "./documents.ts";

/** A conversation's key as one text, to find it in maps and sets. */
export function conversationName({ app, conversation }: ConversationKey): string {
  return `${app}\n${conversation}`;
}

/** A person's key as one text, to find it in maps and sets. */
export function accountName({ app, user }: AccountKey): string {
  return `${app}\n${user}`;
}
