import type { ChatMessage } from "@chat21/client-sdk";
import { useChat } from "../chat/chat-context.ts";
import { explainError } from "../ui/explain-error.ts";
import { useToasts } from "../ui/toasts.tsx";

/** Shows why a message was not sent, with buttons to retry or discard it. */
export function FailedActions({ message }: { message: ChatMessage }) {
  const { outbox } = useChat().chat;
  const toasts = useToasts();
  const id = message.clientMessageId;
  return (
    <div className="message-actions">
      <span>{message.error === null ? "Not sent." : `Not sent: ${explainError(message.error)}`}</span>
      {id !== null && (
        <>
          <button type="button" className="button" data-kind="quiet" onClick={() => outbox.retry(id)}>
            Retry
          </button>
          <button
            type="button"
            className="button"
            data-kind="quiet"
            onClick={() => outbox.discard(id).catch(toasts.showError)}
          >
            Discard
          </button>
        </>
      )}
    </div>
  );
}
