import { systemUser } from "./ids.ts";

/** The user who looks at a conversation. */
export interface Reader {
  readonly user: string;
}

/** A place in a list of conversations: the time of a conversation's last listed message, and the conversation's id. */
export interface ListPlace {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly conversation: string;
}

/** Whether a message belongs into conversation lists: not with the attribute `updateconversation: false`. */
export function isListedMessage(message: { readonly attributes?: unknown }): boolean {
  const { attributes } = message;
  if (typeof attributes !== "object" || attributes === null) return true;
  return (attributes as Readonly<Record<string, unknown>>)["updateconversation"] !== false;
}

/** Whether a listed message beyond the reader's `read` watermark is unread: not the reader's own, and not the system's. */
export function countsAsUnread(event: { readonly sender: string }, reader: Reader): boolean {
  return event.sender !== reader.user && event.sender !== systemUser;
}

/** The order of lists: the newest last message first; conversations of one time by id, in code unit order. */
export function compareListed(a: ListPlace, b: ListPlace): number {
  if (a.timestamp !== b.timestamp) return b.timestamp - a.timestamp;
  return a.conversation < b.conversation ? -1 : a.conversation > b.conversation ? 1 : 0;
}
