import { useEffect } from "preact/compat";
import { isInfo } from "../timeline/info-text.ts";
import { previewText } from "../timeline/preview-text.ts";
import { useChat } from "./chat-context.ts";
import { openConversation } from "./route.ts";

/** Says whether the page may still ask for permission to show desktop notifications. */
export function canAskForNotifications(): boolean {
  return "Notification" in globalThis && Notification.permission === "default";
}

/**
 * Shows other people's new messages as desktop notifications while this window is not in view, once the user allows it.
 */
export function useDesktopNotifications(): void {
  const { chat, names } = useChat();
  useEffect(
    () =>
      chat.on("message", ({ conversWith, message, origin }) => {
        if (origin !== "live" || message.own || isInfo(message) || document.hasFocus()) return;
        if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
        const name = names.of(message.sender, message.senderFullname);
        showNotification(conversWith, name, previewText(message));
      }),
    [chat, names],
  );
}

function showNotification(conversWith: string, title: string, body: string): void {
  try {
    const notification = new Notification(title, { body, tag: conversWith });
    notification.onclick = () => {
      window.focus();
      openConversation(conversWith);
      notification.close();
    };
  } catch {
    // Browsers on Android allow notifications from service workers only.
  }
}
