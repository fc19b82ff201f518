import type { ConversationSummary, Presence } from "@chat21/client-sdk";
import { useCallback, useSyncExternalStore } from "preact/compat";
import type { PresenceState } from "../ui/avatar.tsx";
import { useChat } from "./chat-context.ts";

/** Returns the presence of `user`, live; `undefined` for `null`, or before it was known. */
export function usePresence(user: string | null): Presence | undefined {
  const { presence } = useChat().chat;
  const subscribe = useCallback(
    (listener: () => void) => (user === null ? () => {} : presence.subscribe(user, listener)),
    [presence, user],
  );
  return useSyncExternalStore(subscribe, () => (user === null ? undefined : presence.known(user)));
}

/** Converts a presence to the state that an avatar shows. */
export function presenceState(presence: Presence | undefined): PresenceState {
  return presence?.presence ?? "unknown";
}

/**
 * Returns the user whose presence a conversation shows: the other person of a direct conversation. `null` in groups,
 * and before the first message, because the server tells nothing about strangers.
 */
export function acquaintanceOf(summary: ConversationSummary): string | null {
  return summary.kind === "direct" && summary.head > 0 ? summary.conversWith : null;
}
