import { Emblem } from "../ui/emblem.tsx";
import { Icon } from "../ui/icon.tsx";
import { useChat } from "./chat-context.ts";
import type { DialogName } from "./dialog-name.ts";
import { useConversations } from "./use-conversation.ts";

/** The pane that is shown while no conversation is open. */
export function Welcome({ onDialog }: { onDialog: (dialog: DialogName) => void }) {
  const { chat } = useChat();
  const fresh = useConversations(false).length === 0;
  return (
    <main className="chat">
      <div className="empty">
        <Emblem />
        <h2>{fresh ? `Welcome, ${chat.user.fullname}` : "Pick up where you left off"}</h2>
        <p>
          {fresh
            ? "Nobody has written yet. Start with somebody's user id, or open a second window and sign in as somebody else."
            : "Choose a conversation on the left, or start a new one."}
        </p>
        <div className="actions">
          <button
            type="button"
            className="button"
            data-kind="primary"
            onClick={() => onDialog("new-conversation")}
          >
            <Icon name="compose" />
            New conversation
          </button>
          <button type="button" className="button" onClick={() => onDialog("new-group")}>
            <Icon name="group" />
            New group
          </button>
        </div>
      </div>
    </main>
  );
}
