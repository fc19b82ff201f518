import type { Conversation } from "@chat21/client-sdk";
import { useCallback, useRef, useState } from "preact/compat";

/** Returns the loader of older messages of a conversation. */
export function useOlderMessages(conversation: Conversation, hasOlder: boolean): OlderMessages {
  const [state, setState] = useState<"idle" | "loading" | "failed">("idle");
  // A scroll handler may call twice before the new state is rendered.
  const busy = useRef(false);

  const request = useCallback(
    async (count = pageSize) => {
      if (busy.current) return;
      busy.current = true;
      setState("loading");
      const next = await conversation.loadOlder(Math.min(count, largestPage)).then(
        () => "idle" as const,
        () => "failed" as const,
      );
      busy.current = false;
      setState(next);
    },
    [conversation],
  );

  const load = useCallback(
    (count?: number) => {
      if (hasOlder && state === "idle") void request(count);
    },
    [hasOlder, state, request],
  );

  return { loading: state === "loading", failed: state === "failed", load, retry: () => void request() };
}

/** Loads older messages, page by page. */
export interface OlderMessages {
  readonly loading: boolean;
  /** The last attempt failed. Only {@link retry} starts another one. */
  readonly failed: boolean;
  /**
   * Loads one more page, of 50 messages unless `count` asks for another size (1,000 at most). No effect while a page is
   * loading, at the beginning, or after a failed attempt.
   */
  load(count?: number): void;
  retry(): void;
}

const pageSize = 50;
const largestPage = 1_000;
