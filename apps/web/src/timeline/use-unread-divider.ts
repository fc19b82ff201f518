import type { ChatMessage, ConversationSummary } from "@chat21/client-sdk";
import { useEffect, useState } from "preact/compat";

/**
 * Returns the number of the last read message, as it was when new messages came while the page was not in view. `null`
 * when nothing is new. It stays until the reader answers, or has seen everything and looks away.
 */
export function useUnreadDivider(
  summary: ConversationSummary,
  messages: readonly ChatMessage[],
  visible: boolean,
  watching: boolean,
): number | null {
  const [readUpTo, setReadUpTo] = useState<number | null>(null);
  const [answered, setAnswered] = useState<string | undefined>(undefined);
  const last = messages.at(-1);

  if (last?.own === true && last.key !== answered) {
    setAnswered(last.key);
    if (readUpTo !== null) setReadUpTo(null);
  } else if (readUpTo === null && summary.unread > 0 && !watching) {
    setReadUpTo(summary.own.read);
  }

  useEffect(() => {
    if (!visible && summary.unread === 0) setReadUpTo(null);
  }, [visible, summary.unread]);

  return readUpTo;
}
