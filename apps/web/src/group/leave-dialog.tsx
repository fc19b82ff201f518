import type { ChatGroup } from "@chat21/client-sdk";
import { useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { Dialog } from "../ui/dialog.tsx";
import { shownName } from "../ui/foreign-text.ts";
import { useToasts } from "../ui/toasts.tsx";

/** Asks before this user leaves a group. */
export function LeaveDialog({ group, onClose }: { group: ChatGroup; onClose: () => void }) {
  const { chat } = useChat();
  const toasts = useToasts();
  const [busy, setBusy] = useState(false);

  const passesOn = group.owner === chat.user.id && group.members.length > 1;

  async function leave(): Promise<void> {
    setBusy(true);
    await chat.groups.leave(group.id).catch(toasts.showError);
    onClose();
  }

  return (
    <Dialog title={`Leave “${shownName(group.name, group.id)}”?`} onClose={onClose}>
      <p>
        You keep the messages so far. To come back, the owner has to add you again.
        {passesOn && " You own this group: it passes on to the member who has been in it for longest."}
      </p>
      <footer>
        <button type="button" className="button" onClick={onClose}>
          Stay
        </button>
        <button type="button" className="button" data-kind="danger" disabled={busy} onClick={leave}>
          Leave group
        </button>
      </footer>
    </Dialog>
  );
}
