import { useId, useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { openConversation } from "../chat/route.ts";
import { userIdProblem } from "../sign-in/user-id.ts";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/text-field.tsx";
import { PersonHint } from "./person-hint.tsx";

/** A dialog that asks for a user id and opens the conversation with that user. */
export function NewConversationDialog({ onClose }: { onClose: () => void }) {
  const { chat } = useChat();
  const [user, setUser] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const hintId = useId();

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const wrong = userIdProblem(user);
    if (wrong !== undefined) {
      setProblem(wrong);
      return;
    }
    onClose();
    openConversation(user);
  }

  return (
    <Dialog title="New conversation" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <TextField
          label="User id"
          value={user}
          onText={(text) => setUser(text.trim())}
          placeholder="grace-hopper"
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          maxLength={64}
          aria-invalid={problem !== null}
          aria-describedby={hintId}
          autoFocus
        >
          <PersonHint user={user} />
          <p
            className={problem === null ? "hint" : "problem"}
            id={hintId}
            role={problem === null ? undefined : "alert"}
          >
            {problem ??
              `Everybody sees their own id at the top left, under their name. Yours is ${chat.user.id}.`}
          </p>
        </TextField>
        <footer>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button" data-kind="primary">
            Write
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
