import type { Conversation } from "@chat21/client-sdk";
import { useCallback, useRef, useState } from "react";

/** Loading towards the beginning. */
export interface OlderMessages {
  readonly loading: boolean;
  /** The last attempt failed; nothing is tried before {@link retry}. */
  readonly failed: boolean;
  /** Asks for one page more, unless one is on its way, the beginning is reached, or the last attempt failed. */
  load(): void;
  retry(): void;
}

const pageSize = 50;

/** See {@link OlderMessages}. */
export function useOlderMessages(conversation: Conversation, hasOlder: boolean): OlderMessages {
  const [state, setState] = useState<"idle" | "loading" | "failed">("idle");
  // A scroll handler may call twice before the state above has been rendered.
  const busy = useRef(false);

  const request = useCallback(async () => {
    if (busy.current) return;
    busy.current = true;
    setState("loading");
    const next = await conversation.loadOlder(pageSize).then(
      () => "idle" as const,
      () => "failed" as const,
    );
    busy.current = false;
    setState(next);
  }, [conversation]);

  const load = useCallback(() => {
    if (hasOlder && state === "idle") void request();
  }, [hasOlder, state, request]);

  return { loading: state === "loading", failed: state === "failed", load, retry: () => void request() };
}
