import { useEffect, useState } from "preact/compat";
import { isInfo } from "../timeline/info-text.ts";
import { previewText } from "../timeline/preview-text.ts";
import { useChat } from "./chat-context.ts";

/** Announces other people's new messages to screen readers. It plays no sound. */
export function Announcer() {
  const { chat, names } = useChat();
  const [spoken, setSpoken] = useState({ text: "", key: "" });

  useEffect(
    () =>
      chat.on("message", ({ message, origin }) => {
        if (origin === "live" && !message.own && !isInfo(message)) {
          const name = names.of(message.sender, message.senderFullname);
          setSpoken({ text: `${name}: ${previewText(message)}`, key: message.key });
        }
      }),
    [chat, names],
  );

  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {/* A new element each time: a text that comes twice would be no change, and is not read again. */}
      <p key={spoken.key}>{spoken.text}</p>
    </div>
  );
}
