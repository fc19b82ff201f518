import type { ConversationSummary, Presence } from "@chat21/client-sdk";
import { useCallback, useSyncExternalStore } from "react";
import type { PresenceState } from "../ui/avatar.tsx";
import { useChat } from "./chat-context.ts";

/** Whether somebody is there, live; `undefined` while it is not known, or where there is nobody to ask about. */
export function usePresence(user: string | null): Presence | undefined {
  const { presence } = useChat().chat;
  const subscribe = useCallback(
    (listener: () => void) => (user === null ? () => {} : presence.subscribe(user, listener)),
    [presence, user],
  );
  return useSyncExternalStore(subscribe, () => (user === null ? undefined : presence.known(user)));
}

/** As an avatar shows it. */
export function presenceState(presence: Presence | undefined): PresenceState {
  return presence?.presence ?? "unknown";
}

/**
 * Whom to ask about in a conversation: its counterpart once something was said, since the server tells nothing about
 * strangers; `null` in groups.
 */
export function acquaintanceOf(summary: ConversationSummary): string | null {
  return summary.kind === "direct" && summary.head > 0 ? summary.conversWith : null;
}
