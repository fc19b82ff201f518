import { useToasts } from "../ui/toasts.tsx";
import { useChat } from "./chat-context.ts";

/** Returns what moves a conversation into the archive, with a way back, and out of it. */
export function useArchive(conversWith: string, title: string): { archive(): void; unarchive(): void } {
  const { conversations } = useChat().chat;
  const toasts = useToasts();
  const unarchive = () => void conversations.unarchive(conversWith).catch(toasts.showError);
  return {
    unarchive,
    archive() {
      conversations
        .archive(conversWith)
        .then(
          () => toasts.show(`${title} is in the archive.`, { label: "Undo", onSelect: unarchive }),
          toasts.showError,
        );
    },
  };
}
