import type { ChatGroup, ConversationSummary } from "@chat21/client-sdk";
import type { NameOf } from "../timeline/info-text.ts";
import { Avatar } from "../ui/avatar.tsx";
import { formatLastSeen } from "../ui/format-time.ts";
import { Icon } from "../ui/icon.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { useToasts } from "../ui/toasts.tsx";
import { useNow } from "../ui/use-now.ts";
import { useChat } from "./chat-context.ts";
import { listHref, openConversation } from "./route.ts";
import { useArchive } from "./use-archive.ts";
import { useTyping } from "./use-conversation.ts";
import { acquaintanceOf, presenceState, usePresence } from "./use-presence.ts";

/** The header of a conversation: its title, presence or typing, and a menu of actions. */
export function ConversationHeader(props: HeaderProps) {
  const { summary, title, group } = props;
  const isGroup = summary.kind !== "direct";
  const presence = usePresence(acquaintanceOf(summary));
  return (
    <header className="bar">
      <a className="icon-button back" href={listHref} aria-label="Back to the list">
        <Icon name="back" />
      </a>
      <Avatar id={summary.conversWith} name={title} group={isGroup} presence={presenceState(presence)} />
      <div className="bar-title">
        <h2 className="ellipsis">{title}</h2>
        <Subtitle {...props} />
      </div>
      {group !== undefined && (
        <button
          type="button"
          className="icon-button"
          aria-label="Group details"
          title="Group details"
          aria-expanded={props.panelOpen}
          onClick={props.onTogglePanel}
        >
          <Icon name="info" />
        </button>
      )}
      <Menu label="Conversation" icon="more" items={useActions(summary, title)} />
    </header>
  );
}

interface HeaderProps {
  summary: ConversationSummary;
  title: string;
  group: ChatGroup | undefined;
  nameOf: NameOf;
  panelOpen: boolean;
  onTogglePanel: () => void;
}

function Subtitle({ summary, title, group, nameOf }: HeaderProps) {
  const typing = useTyping(summary.conversWith);
  const presence = usePresence(acquaintanceOf(summary));
  const now = useNow();
  if (typing.length > 0) {
    const who =
      summary.kind === "direct"
        ? ""
        : `${typing.map(nameOf).join(", ")} ${typing.length > 1 ? "are" : "is"} `;
    return <p className="ellipsis is-typing">{who}typing…</p>;
  }
  if (group !== undefined) {
    const { length } = group.members;
    return <p className="ellipsis">{length === 1 ? "Only you" : `${length} members`}</p>;
  }
  const state =
    presence === undefined || presence.presence === "unknown"
      ? ""
      : presence.presence === "online"
        ? "online"
        : formatLastSeen(presence.lastSeen ?? 0, now) || "offline";
  // A name is what somebody calls themselves; the id says who it is.
  const id = title === summary.conversWith && state !== "" ? "" : summary.conversWith;
  return <p className="ellipsis">{[state, id].filter(Boolean).join(" · ")}</p>;
}

function useActions(summary: ConversationSummary, title: string): MenuItem[] {
  const { chat } = useChat();
  const toasts = useToasts();
  const { conversWith } = summary;
  const { archive, unarchive } = useArchive(conversWith, title);
  const items: MenuItem[] = [];
  if (summary.lastMessage === null) return [closeItem];
  items.push({
    label: "Mark as unread",
    icon: "bell",
    onSelect: () => {
      chat.conversations.markUnread(conversWith).catch(toasts.showError);
      openConversation(null);
    },
  });
  items.push({
    label: summary.archived ? "Take out of the archive" : "Archive",
    icon: "archive",
    onSelect: () => {
      if (summary.archived) return unarchive();
      archive();
      openConversation(null);
    },
  });
  return [...items, closeItem];
}

const closeItem: MenuItem = { label: "Close", icon: "close", onSelect: () => openConversation(null) };
