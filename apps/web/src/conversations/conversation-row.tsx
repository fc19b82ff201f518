import type { ConversationSummary } from "@chat21/client-sdk";
import { memo, useRef } from "preact/compat";
import { conversationHref, openConversation } from "../chat/route.ts";
import { useArchive } from "../chat/use-archive.ts";
import { titleOf, useNames } from "../chat/use-names.ts";
import { acquaintanceOf, presenceState, usePresence } from "../chat/use-presence.ts";
import { Avatar } from "../ui/avatar.tsx";
import { formatFull, formatListTime } from "../ui/format-time.ts";
import { Icon } from "../ui/icon.tsx";
import { useNow, useShownTime } from "../ui/use-now.ts";
import { ConversationPreview } from "./conversation-preview.tsx";
import { isUnread } from "./filter-conversations.ts";
import { focusBeside } from "./list-keys.ts";

interface RowProps {
  summary: ConversationSummary;
  isOpen: boolean;
  tabbable: boolean;
  /** Says that a conversation is in the archive, in a list that shows others, too. */
  tagged: boolean;
  onFocus: (conversWith: string) => void;
}

/** A row of the list: a link to the conversation, and a button that archives it. */
export const ConversationRow = memo(function ConversationRow({
  summary,
  isOpen,
  tabbable,
  tagged,
  onFocus,
}: RowProps) {
  const row = useRef<HTMLLIElement>(null);
  const { conversWith, archived } = summary;
  const title = titleOf(useNames(), summary);
  const group = summary.kind !== "direct";
  const presence = usePresence(acquaintanceOf(summary));

  const { archive, unarchive } = useArchive(conversWith, title);

  function move(): void {
    // The row goes: who works with the keyboard goes on at the next one.
    focusBeside(row.current);
    if (archived) unarchive();
    else archive();
    if (isOpen && !archived) openConversation(null);
  }

  return (
    <li
      ref={row}
      className="conversation"
      data-unread={isUnread(summary)}
      onFocus={() => onFocus(conversWith)}
    >
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
            {tagged && archived && <span className="tag">Archived</span>}
            {summary.timestamp > 0 && <RowTime timestamp={summary.timestamp} />}
          </div>
          <div className="second">
            <ConversationPreview summary={summary} isOpen={isOpen} />
            <UnreadBadge summary={summary} />
          </div>
        </div>
      </a>
      <button
        type="button"
        className="icon-button"
        aria-label={archived ? `Take ${title} out of the archive` : `Archive ${title}`}
        title={archived ? "Take out of the archive" : "Archive"}
        tabIndex={tabbable ? 0 : -1}
        onClick={move}
      >
        <Icon name="archive" />
      </button>
    </li>
  );
});

function RowTime(props: { timestamp: number }) {
  const now = useNow();
  const timestamp = useShownTime(props.timestamp);
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
