import { toWireConversWith } from "@chat21/protocol";
import { useEffect, useRef, useState, useSyncExternalStore } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import type { DialogName } from "../chat/dialog-name.ts";
import { openConversation } from "../chat/route.ts";
import { useConversations } from "../chat/use-conversation.ts";
import { titleOf, useNames } from "../chat/use-names.ts";
import { ConversationRow } from "./conversation-row.tsx";
import { filterConversations, type ListFilter } from "./filter-conversations.ts";
import { handleListKey } from "./list-keys.ts";

/** The list of conversations, newest first. A search finds archived ones, too. Tab stops at it once; arrow keys move inside. */
export function ConversationList(props: ListProps) {
  const { open, filter, query } = props;
  const active = useConversations(false);
  const archive = useConversations(true);
  const { connection } = useChat();
  const { wasOnline } = useSyncExternalStore(connection.subscribe, connection.get);
  const isSearch = filter === "all" && query.trim() !== "";
  const searched = filter === "archived" ? archive : isSearch ? [...active, ...archive] : active;
  const names = useNames();
  const shown = filterConversations(searched, filter, query, open, (summary) => titleOf(names, summary));
  const list = useRef<HTMLUListElement>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const stop = [focused, open].find((id) => shown.some((summary) => summary.conversWith === id));
  const tabbable = stop ?? shown[0]?.conversWith;
  const isOpenShown = shown.some((summary) => summary.conversWith === open);

  // A link may open a conversation that is far down; the list may grow until all is loaded.
  useEffect(() => {
    if (open !== null && isOpenShown)
      list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [open, isOpenShown, wasOnline]);

  if (shown.length === 0) {
    return (
      <div className="conversations">
        <EmptyList {...props} />
      </div>
    );
  }
  return (
    <ul ref={list} className="conversations" aria-label="Conversations" onKeyDown={handleListKey}>
      {shown.map((summary) => (
        <ConversationRow
          key={summary.conversWith}
          summary={summary}
          isOpen={summary.conversWith === open}
          tabbable={summary.conversWith === tabbable}
          tagged={isSearch}
          onFocus={setFocused}
        />
      ))}
    </ul>
  );
}

/** Props of {@link ConversationList}. */
interface ListProps {
  open: string | null;
  filter: ListFilter;
  query: string;
  onDialog: (dialog: DialogName) => void;
}

function EmptyList({ filter, query, onDialog }: ListProps) {
  const { connection } = useChat();
  const { wasOnline } = useSyncExternalStore(connection.subscribe, connection.get);
  const id = query.trim();
  if (id !== "") {
    return (
      <div className="list-note">
        <p>Nothing matches “{id}”.</p>
        {toWireConversWith(id) !== null && (
          <button type="button" className="button" onClick={() => openConversation(id)}>
            Write to {id}
          </button>
        )}
      </div>
    );
  }
  if (!wasOnline) {
    return (
      <div className="list-note">
        <span className="spinner" />
        <p>Loading your conversations…</p>
      </div>
    );
  }
  if (filter === "unread") return <p className="list-note">You have read everything.</p>;
  if (filter === "archived")
    return (
      <p className="list-note">
        The archive is empty. An archived conversation comes back with its next message.
      </p>
    );
  return (
    <div className="list-note">
      <p>No conversations yet.</p>
      <button type="button" className="button" onClick={() => onDialog("new-conversation")}>
        Start one
      </button>
    </div>
  );
}
