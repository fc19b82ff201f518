import type { ChatMessage, Conversation, ConversationSummary } from "@chat21/client-sdk";
import { useCallback, useMemo, useSyncExternalStore } from "preact/compat";
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

/** Returns the users who are typing in a conversation, live. It loads no messages, so each row of a list may use it. */
export function useTyping(conversWith: string): readonly string[] {
  const { chat } = useChat();
  const subscribe = useCallback(
    (listener: () => void) =>
      chat.on("typing", (sign) => {
        if (sign.conversWith === conversWith) listener();
      }),
    [chat, conversWith],
  );
  return useSyncExternalStore(subscribe, () => chat.conversation(conversWith).typing);
}

/** Returns the draft of a conversation, live; `""` for none. */
export function useDraft(conversWith: string): string {
  const { drafts } = useChat();
  return useSyncExternalStore(drafts.subscribe, () => drafts.get(conversWith));
}
