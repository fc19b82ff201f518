import { useSyncExternalStore } from "preact/compat";

/** Says whether the page is in use: it is not hidden, and its window has the focus. */
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
