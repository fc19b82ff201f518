import type { ChatMessage } from "@chat21/client-sdk";
import { memo } from "preact/compat";
import { ErrorBoundary } from "../ui/error-boundary.tsx";
import { formatClock, formatFull } from "../ui/format-time.ts";
import { useShownTime } from "../ui/use-now.ts";
import { FailedActions } from "./failed-actions.tsx";
import { MessageContent } from "./message-content.tsx";
import { MessageMark } from "./message-mark.tsx";

/** One message with its time. The user's own message also shows its state. */
export const MessageBubble = memo(function MessageBubble({ message }: { message: ChatMessage }) {
  const timestamp = useShownTime(message.timestamp);
  return (
    <li className="message" data-key={message.key} data-state={message.state}>
      <div className="bubble" dir="auto">
        <ErrorBoundary fallback={<span className="unsupported">This message cannot be shown.</span>}>
          <MessageContent message={message} />
        </ErrorBoundary>
        <span className="bubble-meta" dir="ltr">
          <time dateTime={new Date(timestamp).toISOString()} title={formatFull(timestamp)}>
            {formatClock(timestamp)}
          </time>
          {message.own && <MessageMark state={message.state} />}
        </span>
      </div>
      {message.state === "failed" && <FailedActions message={message} />}
    </li>
  );
});
