import { useEffect, useState } from "react";
import { isInfo } from "../timeline/info-text.ts";
import { previewText } from "../timeline/preview-text.ts";
import { useChat } from "./chat-context.ts";

/** Announces other people's new messages to screen readers. It plays no sound. */
export function Announcer() {
  const { chat } = useChat();
  const [text, setText] = useState("");

  useEffect(
    () =>
      chat.on("message", ({ message, origin }) => {
        if (origin === "live" && !message.own && !isInfo(message)) {
          setText(`${message.senderFullname}: ${previewText(message)}`);
        }
      }),
    [chat],
  );

  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
