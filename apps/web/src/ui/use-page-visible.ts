import { useSyncExternalStore } from "react";

/** Whether somebody can see this page and is at it: it is not hidden, and its window has the focus. */
export function usePageVisible(): boolean {
  return useSyncExternalStore(subscribe, () => document.visibilityState === "visible" && document.hasFocus());
}

const names = ["focus", "blur"] as const;

function subscribe(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  for (const name of names) addEventListener(name, listener);
  return () => {
    document.removeEventListener("visibilitychange", listener);
    for (const name of names) removeEventListener(name, listener);
  };
}
