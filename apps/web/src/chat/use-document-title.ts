import { useCallback, useEffect, useSyncExternalStore } from "preact/compat";
import { shownName } from "../ui/foreign-text.ts";
import { useChat } from "./chat-context.ts";
import { useUnreadCount } from "./use-conversation.ts";
import { titleOf, useNames } from "./use-names.ts";

/** Shows the number of unread messages and the open conversation in the window's title. */
export function useDocumentTitle(open: string | null): void {
  const { conversations } = useChat().chat;
  const subscribe = useCallback((listener: () => void) => conversations.subscribe(listener), [conversations]);
  const unread = useUnreadCount();
  const names = useNames();
  const summary = useSyncExternalStore(subscribe, () =>
    open === null ? undefined : conversations.get(open),
  );
  const title =
    open === null ? undefined : summary === undefined ? shownName("", open) : titleOf(names, summary);

  useEffect(() => {
    const count = unread > mostShown ? `${mostShown}+` : unread;
    const name = title === undefined ? "Chat21" : `${title} · Chat21`;
    document.title = unread > 0 ? `(${count}) ${name}` : name;
  }, [unread, title]);
}

const mostShown = 999;
