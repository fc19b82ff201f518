import type { ConversationSummary, MessageState } from "@chat21/client-sdk";
import { useChat } from "../chat/chat-context.ts";
import { useDraft, useTyping } from "../chat/use-conversation.ts";
import { useNames } from "../chat/use-names.ts";
import { infoText, isInfo } from "../timeline/info-text.ts";
import { previewText } from "../timeline/preview-text.ts";

/** The second line of a row: who is typing, a draft, or the last message. */
export function ConversationPreview({ summary, isOpen }: { summary: ConversationSummary; isOpen: boolean }) {
  const { chat } = useChat();
  const typing = useTyping(summary.conversWith);
  const draft = useDraft(summary.conversWith);
  const names = useNames();
  const nameOf = (user: string, claimed = chat.conversations.get(user)?.title) =>
    user === chat.user.id ? "You" : names.of(user, claimed);

  if (typing.length > 0) {
    const who = summary.kind === "direct" || typing.length > 1 ? "" : `${nameOf(typing[0] ?? "")} is `;
    return <span className="preview ellipsis is-typing">{who}typing…</span>;
  }
  if (draft !== "" && !isOpen) {
    return (
      <span className="preview ellipsis">
        <b>Draft:</b> {draft}
      </span>
    );
  }
  return <span className="preview ellipsis">{lastMessageText(summary, nameOf)}</span>;
}

const ownPrefix: Partial<Record<MessageState, string>> = { failed: "Not sent", queued: "Waiting" };

function lastMessageText(
  summary: ConversationSummary,
  nameOf: (user: string, claimed?: string) => string,
): string {
  const message = summary.lastMessage;
  if (message === null) return "";
  if (message.deleted) return "Message deleted";
  if (isInfo(message)) return infoText([message], nameOf);
  const text = previewText(message);
  if (message.own) return `${ownPrefix[message.state] ?? "You"}: ${text}`;
  return summary.kind === "direct" ? text : `${nameOf(message.sender, message.senderFullname)}: ${text}`;
}
