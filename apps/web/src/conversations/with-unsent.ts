import type { ChatMessage, ConversationSummary } from "@chat21/client-sdk";

/**
 * Returns a list of conversations in which messages that are not stored yet count as the last ones, newest first. A
 * conversation that has no stored message at all is on the list of active ones. `unsent` is in send order.
 */
export function withUnsent(
  list: readonly ConversationSummary[],
  unsent: readonly ChatMessage[],
  summaryOf: (conversWith: string) => ConversationSummary,
  archived: boolean,
): readonly ConversationSummary[] {
  const last = new Map(
    unsent.filter(({ seq }) => seq === null).map((message) => [message.conversWith, message]),
  );
  if (last.size === 0) return list;
  const begun = archived
    ? []
    : [...last.keys()].map(summaryOf).filter(({ lastMessage }) => lastMessage === null);
  return [...list, ...begun]
    .map((summary) => {
      const lastMessage = last.get(summary.conversWith);
      if (lastMessage === undefined) return summary;
      return { ...summary, lastMessage, timestamp: Math.max(summary.timestamp, lastMessage.timestamp) };
    })
    .sort((a, b) => b.timestamp - a.timestamp);
}
