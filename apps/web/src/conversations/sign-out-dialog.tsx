import { useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { Dialog } from "../ui/dialog.tsx";

/** Asks before signing out, and says what would be lost. */
export function SignOutDialog({ onClose }: { onClose: () => void }) {
  const { chat, signOut } = useChat();
  const [unsent] = useState(() => chat.outbox.list().length);
  return (
    <Dialog title="Sign out?" onClose={onClose}>
      <p>
        {unsent === 0
          ? "Your conversations stay on the server. Unfinished drafts in this window are forgotten."
          : `${unsent === 1 ? "One message was" : `${unsent} messages were`} not sent yet and will be lost.`}
      </p>
      <footer>
        <button type="button" className="button" onClick={onClose}>
          Stay
        </button>
        <button
          type="button"
          className="button"
          data-kind={unsent === 0 ? "primary" : "danger"}
          onClick={signOut}
        >
          Sign out
        </button>
      </footer>
    </Dialog>
  );
}
