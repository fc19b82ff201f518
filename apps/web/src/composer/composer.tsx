import type { Conversation } from "@chat21/client-sdk";
import { byteLength, clientLimits } from "@chat21/protocol";
import { useEffect, useRef } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { useDraft } from "../chat/use-conversation.ts";
import { randomName } from "../session/window-name.ts";
import { Icon } from "../ui/icon.tsx";
import { useToasts } from "../ui/toasts.tsx";
import { useFieldHeight } from "./use-field-height.ts";

/** The field to write a message. Enter sends, Shift+Enter breaks the line. On a touch screen Enter breaks the line. */
export function Composer({ conversation, title }: { conversation: Conversation; title: string }) {
  const { chat, drafts } = useChat();
  const toasts = useToasts();
  const { conversWith } = conversation;
  const text = useDraft(conversWith);
  const field = useRef<HTMLTextAreaElement>(null);
  const tooLong = byteLength(text) > maxTextBytes;
  const ready = text.trim() !== "" && !tooLong;
  useFieldHeight(field, text);

  useEffect(() => {
    if (!isTouch()) field.current?.focus();
    return () => conversation.setTyping(false);
  }, [conversation]);

  function change(next: string): void {
    drafts.set(conversWith, next);
    conversation.setTyping(next.trim() !== "");
  }

  function send(event?: SubmitEvent): void {
    event?.preventDefault();
    if (!ready) return;
    const message = text.trim();
    change("");
    field.current?.focus();
    const clientMessageId = randomName() + randomName();
    conversation.send({ text: message }, { clientMessageId }).catch((error: unknown) => {
      // A message in the outbox is safe, and shows its error in the timeline.
      if (chat.outbox.list().some((entry) => entry.clientMessageId === clientMessageId)) return;
      // Any other one goes back to where it was written.
      drafts.set(conversWith, [message, drafts.get(conversWith)].filter(Boolean).join("\n"));
      toasts.showError(error);
    });
  }

  function handleKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event) || isTouch()) return;
    event.preventDefault();
    send();
  }

  return (
    <div className="composer">
      <form onSubmit={send}>
        <textarea
          ref={field}
          rows={1}
          value={text}
          placeholder={`Message ${title}`}
          aria-label={`Message to ${title}`}
          aria-invalid={tooLong}
          enterkeyhint="send"
          onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={handleKey}
        />
        <button type="submit" className="send" aria-label="Send" title="Send" disabled={!ready}>
          <Icon name="send" />
        </button>
      </form>
      {tooLong && (
        <p className="problem" role="alert">
          That is too long for one message ({Math.ceil(byteLength(text) / 1024)} of {maxTextBytes / 1024}{" "}
          KiB).
        </p>
      )}
    </div>
  );
}

/** Longest text. The other fields of a message need up to 4 KiB of its payload. */
const maxTextBytes = clientLimits.payloadBytes - 4 * 1024;

/**
 * Says whether the key belongs to an input method that composes a word. Safari ends the composition before the key that
 * ended it, and tells that key only by its code 229.
 */
function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

function isTouch(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}
