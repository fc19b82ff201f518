import { useEffect } from "preact/compat";
import { openConversation } from "./route.ts";

/**
 * Handles the shortcuts of the page: `/` searches, Esc leaves the conversation, Alt with an arrow opens the
 * conversation above or below. A key that an inner element has handled is ignored.
 */
export function useShortcuts(): void {
  useEffect(() => {
    addEventListener("keydown", handleKey);
    return () => removeEventListener("keydown", handleKey);
  }, []);
}

/** The id of the search field. `/` moves the focus to it. */
export const searchFieldId = "conversation-search";

function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") !== null) return;
  if (event.altKey) handleArrow(event);
  else if (event.key === "/" && !isEditable(event.target)) {
    event.preventDefault();
    focusSearch();
  } else if (event.key === "Escape") {
    openConversation(null);
    focusSearch();
  }
}

function handleArrow(event: KeyboardEvent): void {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  const row = document.querySelector(".conversation:has([aria-current])");
  const next = event.key === "ArrowUp" ? row?.previousElementSibling : row?.nextElementSibling;
  event.preventDefault();
  next?.querySelector("a")?.click();
}

function focusSearch(): void {
  document.getElementById(searchFieldId)?.focus();
}

function isEditable(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
