import { useEffect } from "react";
import { useChat } from "./chat-context.ts";
import { useUnreadCount } from "./use-conversation.ts";

/** Unread messages and the open conversation in the window's title. */
export function useDocumentTitle(open: string | null): void {
  const { chat } = useChat();
  const unread = useUnreadCount();
  const title = open === null ? undefined : chat.conversations.get(open)?.title;

  useEffect(() => {
    const parts = [title, "Chat21"].filter((part) => part !== undefined);
    document.title = `${unread > 0 ? `(${unread > 999 ? "999+" : unread}) ` : ""}${parts.join(" · ")}`;
  }, [unread, title]);
}
