import { toWireConversWith } from "@chat21/protocol";
import { useSyncExternalStore } from "preact/compat";

/** The address of a conversation inside this page. */
export function conversationHref(conversWith: string): string {
  return `#/${encodeURIComponent(conversWith)}`;
}

/** The address of the list. */
export const listHref = "#/";

const details = "details";

/** Returns the conversation that `hash` names; `null` for none, or for an invalid id. */
export function conversationFromHash(hash: string): string | null {
  try {
    const id = decodeURIComponent(partsOf(hash)[0] ?? "");
    return toWireConversWith(id) === null ? null : id;
  } catch {
    return null;
  }
}

function partsOf(hash: string): string[] {
  return hash.replace(/^#\/?/u, "").split("/");
}

/** Says whether the address names the details of a conversation, live. Back leads to the conversation. */
export function useDetailsOpen(): boolean {
  return useSyncExternalStore(subscribe, areDetailsOpen);
}

function areDetailsOpen(): boolean {
  return partsOf(location.hash)[1] === details;
}

/** Opens the details of a conversation. It adds an entry to the browser's history. */
export function openDetails(conversWith: string): void {
  location.hash = `${conversationHref(conversWith)}/${details}`;
}

/** Closes the details of a conversation, in place of their entry in the browser's history. */
export function closeDetails(conversWith: string): void {
  if (areDetailsOpen()) location.replace(conversationHref(conversWith));
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
