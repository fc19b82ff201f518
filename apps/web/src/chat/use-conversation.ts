import type { ChatMessage, Conversation, ConversationSummary } from "@chat21/client-sdk";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "preact/compat";
import { withUnsent } from "../conversations/with-unsent.ts";
import { useChat } from "./chat-context.ts";

/**
 * Returns the list of active or archived conversations, newest first, live. What this client has not sent yet counts as
 * the last message.
 */
export function useConversations(archived: boolean): readonly ConversationSummary[] {
  const { chat } = useChat();
  const { conversations } = chat;
  const subscribe = useCallback((listener: () => void) => conversations.subscribe(listener), [conversations]);
  const list = useSyncExternalStore(subscribe, () => conversations.list({ archived }));
  const unsent = useSyncExternalStore(
    useCallback((listener) => chat.on("messageUpdated", listener), [chat]),
    () => chat.outbox.list(),
  );
  return useMemo(
    () => withUnsent(list, unsent, (conversWith) => chat.conversation(conversWith).summary, archived),
    [chat, list, unsent, archived],
  );
}

/** Returns the number of unread messages in all active conversations, live. */
export function useUnreadCount(): number {
  const { conversations } = useChat().chat;
  const subscribe = useCallback((listener: () => void) => conversations.subscribe(listener), [conversations]);
  return useSyncExternalStore(subscribe, () => conversations.unread);
}

/** Returns a conversation and its current content, live. */
export function useConversation(conversWith: string): {
  readonly conversation: Conversation;
  readonly summary: ConversationSummary;
  readonly messages: readonly ChatMessage[];
  readonly hasOlder: boolean;
} {
  const conversation = useChat().chat.conversation(conversWith);
  const subscribe = useCallback((listener: () => void) => conversation.subscribe(listener), [conversation]);
  const summary = useSyncExternalStore(subscribe, () => conversation.summary);
  const messages = useSyncExternalStore(subscribe, () => conversation.messages);
  const hasOlder = useSyncExternalStore(subscribe, () => conversation.hasOlder);
  return { conversation, summary, messages, hasOlder };
}

/** Returns the users who are typing in the open conversation, live. */
export function useTyping(conversWith: string): readonly string[] {
  const conversation = useChat().chat.conversation(conversWith);
  const subscribe = useCallback((listener: () => void) => conversation.subscribe(listener), [conversation]);
  return useSyncExternalStore(subscribe, () => conversation.typing);
}

/**
 * Returns the users who begin to type in a conversation of the list, live. It opens no conversation, because that loads
 * messages: a list of a thousand rows would make a thousand requests.
 */
export function useTypingInRow(conversWith: string): readonly string[] {
  const { chat } = useChat();
  const [users, setUsers] = useState<readonly string[]>([]);
  useEffect(
    () =>
      chat.on("typing", (sign) => {
        if (sign.conversWith !== conversWith) return;
        setUsers((before) => {
          const others = before.filter((user) => user !== sign.user);
          return sign.typing ? [...others, sign.user] : others;
        });
      }),
    [chat, conversWith],
  );
  return users;
}

/** Returns the draft of a conversation, live; `""` for none. */
export function useDraft(conversWith: string): string {
  const { drafts } = useChat();
  return useSyncExternalStore(drafts.subscribe, () => drafts.get(conversWith));
}
