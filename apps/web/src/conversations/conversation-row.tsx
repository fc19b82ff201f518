import type { ConversationSummary } from "@chat21/client-sdk";
import { memo } from "react";
import { useChat } from "../chat/chat-context.ts";
import { conversationHref, openConversation } from "../chat/route.ts";
import { acquaintanceOf, presenceState, usePresence } from "../chat/use-presence.ts";
import { Avatar } from "../ui/avatar.tsx";
import { shownName } from "../ui/foreign-text.ts";
import { formatFull, formatListTime } from "../ui/format-time.ts";
import { Icon } from "../ui/icon.tsx";
import { useToasts } from "../ui/toasts.tsx";
import { useNow } from "../ui/use-now.ts";
import { ConversationPreview } from "./conversation-preview.tsx";
import { isUnread } from "./filter-conversations.ts";

interface RowProps {
  summary: ConversationSummary;
  isOpen: boolean;
  tabbable: boolean;
  onFocus: (conversWith: string) => void;
}

/** A row of the list: a link to the conversation, and a button that archives it. */
export const ConversationRow = memo(function ConversationRow({
  summary,
  isOpen,
  tabbable,
  onFocus,
}: RowProps) {
  const { chat } = useChat();
  const toasts = useToasts();
  const { conversWith, archived } = summary;
  const title = shownName(summary.title, conversWith);
  const group = summary.kind !== "direct";
  const presence = usePresence(acquaintanceOf(summary));

  function archive(): void {
    chat.conversations.archive(conversWith).catch(toasts.showError);
    if (isOpen) openConversation(null);
  }

  return (
    <li className="conversation" data-unread={isUnread(summary)} onFocus={() => onFocus(conversWith)}>
      <a
        href={conversationHref(conversWith)}
        aria-current={isOpen ? "true" : undefined}
        tabIndex={tabbable ? 0 : -1}
        draggable={false}
      >
        <Avatar id={conversWith} name={title} group={group} presence={presenceState(presence)} />
        <div>
          <div className="first">
            <span className="name ellipsis">{title}</span>
            {summary.timestamp > 0 && <RowTime timestamp={summary.timestamp} />}
          </div>
          <div className="second">
            <ConversationPreview summary={summary} isOpen={isOpen} />
            <UnreadBadge summary={summary} />
          </div>
        </div>
      </a>
      {!archived && (
        <button
          type="button"
          className="icon-button"
          aria-label={`Archive ${title}`}
          title="Archive"
          tabIndex={tabbable ? 0 : -1}
          onClick={archive}
        >
          <Icon name="archive" />
        </button>
      )}
    </li>
  );
});

function RowTime({ timestamp }: { timestamp: number }) {
  const now = useNow();
  return (
    <time dateTime={new Date(timestamp).toISOString()} title={formatFull(timestamp)}>
      {formatListTime(timestamp, now)}
    </time>
  );
}

function UnreadBadge({ summary }: { summary: ConversationSummary }) {
  if (!isUnread(summary)) return null;
  const { unread } = summary;
  return (
    <span className="badge">
      {unread > 99 ? "99+" : unread || <span aria-hidden="true">•</span>}
      <span className="visually-hidden"> unread</span>
    </span>
  );
}
