import { useEffect } from "react";
import { openConversation } from "./route.ts";

/** The id of the search field, which `/` leads to. */
export const searchFieldId = "conversation-search";

/** `/` searches, Esc leaves the conversation. Only where nothing nearer to the focus took the key. */
export function useShortcuts(): void {
  useEffect(() => {
    function handleKey(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]") !== null) return;
      if (event.key === "/" && !isEditable(event.target)) {
        event.preventDefault();
        focusSearch();
      } else if (event.key === "Escape" && !event.isComposing) {
        openConversation(null);
        focusSearch();
      }
    }
    addEventListener("keydown", handleKey);
    return () => removeEventListener("keydown", handleKey);
  }, []);
}

function focusSearch(): void {
  document.getElementById(searchFieldId)?.focus();
}

function isEditable(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
