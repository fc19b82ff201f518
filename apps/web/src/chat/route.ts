import { isGroupId } from "@chat21/protocol";
import { useSyncExternalStore } from "react";

/** The address of a conversation inside this page. */
export function conversationHref(conversWith: string): string {
  return `#/${encodeURIComponent(conversWith)}`;
}

/** The address of the list. */
export const listHref = "#/";

/** Returns the conversation that `hash` names; `null` for none, or for an invalid id. */
export function conversationFromHash(hash: string): string | null {
  try {
    const id = decodeURIComponent(hash.replace(/^#\/?/u, ""));
    return isGroupId(id) ? id : null;
  } catch {
    return null;
  }
}

/** Opens a conversation, or the list for `null`. It adds an entry to the browser's history. */
export function openConversation(conversWith: string | null): void {
  location.hash = conversWith === null ? listHref : conversationHref(conversWith);
}

/** Returns the open conversation, or `null`, live. */
export function useOpenConversation(): string | null {
  return useSyncExternalStore(subscribe, () => conversationFromHash(location.hash));
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
