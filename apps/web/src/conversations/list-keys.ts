import { searchFieldId } from "../chat/use-shortcuts.ts";

/** Moves the focus to the first conversation of the list, if there is one. */
export function focusFirstConversation(): void {
  document.querySelector<HTMLElement>(rows)?.focus();
}

/** Moves the focus inside the list on arrow keys, Home and End. */
export function handleListKey(event: KeyboardEvent): void {
  const all = [...document.querySelectorAll<HTMLElement>(rows)];
  const at = all.findIndex((row) => row.parentElement?.contains(document.activeElement));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  all[Math.min(Math.max(to, 0), all.length - 1)]?.focus();
}

/** Moves the focus from a row to the next one, else to the one before, else to the search field. */
export function focusBeside(row: HTMLElement | null): void {
  const beside = row?.nextElementSibling ?? row?.previousElementSibling;
  (beside?.querySelector("a") ?? document.getElementById(searchFieldId))?.focus();
}

const rows = ".conversations a";
