import type { ChatMessage } from "@chat21/client-sdk";
import { useCallback, useMemo } from "react";
import type { NameOf } from "../timeline/info-text.ts";
import { shownName } from "../ui/foreign-text.ts";
import { useChat } from "./chat-context.ts";

/**
 * Returns a function that names people: by their own name in `messages`, else by the title of the conversation with
 * them.
 */
export function useNameOf(messages: readonly ChatMessage[]): NameOf {
  const { chat } = useChat();
  const names = useMemo(
    () => new Map(messages.map((message) => [message.sender, message.senderFullname])),
    [messages],
  );
  return useCallback(
    (user) => {
      if (user === chat.user.id) return chat.user.fullname;
      return shownName(names.get(user) ?? chat.conversations.get(user)?.title ?? user, user);
    },
    [chat, names],
  );
}
