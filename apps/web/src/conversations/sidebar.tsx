import { useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import type { DialogName } from "../chat/dialog-name.ts";
import { canAskForNotifications } from "../chat/use-desktop-notifications.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { ConversationList } from "./conversation-list.tsx";
import { FilterBar } from "./filter-bar.tsx";
import type { ListFilter } from "./filter-conversations.ts";
import { SearchBox } from "./search-box.tsx";

/** The left pane: the signed-in user, the search and the conversations. */
export function Sidebar({ open, onDialog }: { open: string | null; onDialog: (dialog: DialogName) => void }) {
  const { chat } = useChat();
  const [query, setQuery] = useState("");
  const [filter, setFilter] = useState<ListFilter>("all");
  const account: MenuItem[] = [{ label: "Sign out", icon: "exit", onSelect: () => onDialog("sign-out") }];
  if (canAskForNotifications()) {
    account.unshift({
      label: "Notify me on the desktop",
      icon: "bell",
      onSelect: () => void Notification.requestPermission(),
    });
  }

  return (
    <aside className="sidebar" aria-label="Conversations">
      <header className="bar">
        <Avatar id={chat.user.id} name={chat.user.fullname} size="small" />
        <div className="bar-title">
          <h1 className="ellipsis">{chat.user.fullname}</h1>
          <p className="ellipsis" title="Your user id: others reach you by it">
            {chat.user.id}
          </p>
        </div>
        <Menu
          label="Start something new"
          icon="compose"
          items={[
            { label: "New conversation", icon: "person", onSelect: () => onDialog("new-conversation") },
            { label: "New group", icon: "group", onSelect: () => onDialog("new-group") },
          ]}
        />
        <Menu label="Account" icon="more" items={account} />
      </header>
      <SearchBox query={query} onQuery={setQuery} />
      <FilterBar filter={filter} onFilter={setFilter} />
      <ConversationList open={open} filter={filter} query={query} onDialog={onDialog} />
    </aside>
  );
}
