import {
  clientLimits,
  compareListed,
  conversationIdOf,
  countsAsUnread,
  isListedMessage,
} from "@chat21/protocol";
import type { ConversationSummary, Watermarks } from "../api/conversation.ts";
import type { ChatMessage } from "../api/message.ts";

/** Whether a list may show the message. */
export function isListed(message: ChatMessage): boolean {
  return !message.deleted && isListedMessage(message);
}

/** Whether the message is unread as long as the reader's `read` mark lies before it. */
export function isUnread(message: ChatMessage, user: string): boolean {
  return isListed(message) && countsAsUnread(message, { user });
}

/** Unread messages beyond a number. */
export function countUnread(messages: readonly ChatMessage[], after: number, user: string): number {
  return messages.filter((message) => (message.seq ?? 0) > after && isUnread(message, user)).length;
}

/** The unread number up to the limit of lists. */
export function capUnread(unread: number): number {
  return Math.min(unread, clientLimits.unreadMax);
}

/** The newest message that a list may show, or `null`. */
export function lastListed(messages: readonly ChatMessage[]): ChatMessage | null {
  return messages.findLast(isListed) ?? null;
}

/** The order of conversation lists, the same as on the server. */
export function compareSummaries(user: string): (a: ConversationSummary, b: ConversationSummary) => number {
  const place = ({ timestamp, conversWith }: ConversationSummary) => ({
    timestamp,
    conversation: conversationIdOf(user, conversWith),
  });
  return (a, b) =>
    a.timestamp === b.timestamp ? compareListed(place(a), place(b)) : b.timestamp - a.timestamp;
}

/**
 * The furthest of two watermarks: they never go back, and read messages count as delivered. The same object when
 * nothing moved.
 */
export function furthest(a: Watermarks, b: Watermarks): Watermarks {
  const [delivered, read] = [Math.max(a.delivered, b.delivered), Math.max(a.read, b.read)];
  return delivered === a.delivered && read === a.read ? a : { delivered: Math.max(delivered, read), read };
}
