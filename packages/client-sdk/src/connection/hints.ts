import type { Unsubscribe } from "../api/emitter.ts";

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
  readonly visibilityState?: string;
}

/** Calls `wake` when a browser says that the network or the page is back. No effect outside a browser. */
export function onBrowserHints(wake: () => void): Unsubscribe {
  const { window, document } = globalThis as { window?: EventSource; document?: EventSource };
  const seen = () => {
    if (document?.visibilityState === "visible") wake();
  };
  window?.addEventListener?.("online", wake);
  document?.addEventListener?.("visibilitychange", seen);
  return () => {
    window?.removeEventListener?.("online", wake);
    document?.removeEventListener?.("visibilitychange", seen);
  };
}
