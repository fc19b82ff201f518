import type { ConversationSummary } from "@chat21/client-sdk";

/**
 * Returns the conversations of `list` that match search and filter, in the same order. Every word of the query must
 * occur in the shown title, the id or the last message; case and accents do not matter. The filter `unread` keeps the open
 * conversation, although it was just read.
 */
export function filterConversations(
  list: readonly ConversationSummary[],
  filter: ListFilter,
  query: string,
  open: string | null,
  titleOf: (summary: ConversationSummary) => string = ({ title }) => title,
): readonly ConversationSummary[] {
  const words = fold(query)
    .split(/\s+/u)
    .filter((word) => word !== "");
  return list.filter((summary) => {
    if (filter === "unread" && !isUnread(summary) && summary.conversWith !== open) return false;
    if (words.length === 0) return true;
    const text = fold(`${titleOf(summary)} ${summary.conversWith} ${summary.lastMessage?.text ?? ""}`);
    return words.every((word) => text.includes(word));
  });
}

/** The conversations that the list shows. */
export type ListFilter = "all" | "unread" | "archived";

/** Says whether a conversation has unread messages or was marked as unread. */
export function isUnread(summary: ConversationSummary): boolean {
  return summary.unread > 0 || summary.markedUnread;
}

function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase();
}
