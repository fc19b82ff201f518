import { useId, useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { openConversation } from "../chat/route.ts";
import { userIdProblem } from "../sign-in/user-id.ts";
import { Dialog } from "../ui/dialog.tsx";
import { PersonHint } from "./person-hint.tsx";

/** A dialog that asks for a user id and opens the conversation with that user. */
export function NewConversationDialog({ onClose }: { onClose: () => void }) {
  const { chat } = useChat();
  const [user, setUser] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const ids = { user: useId(), hint: useId() };

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
        <div className="field">
          <label htmlFor={ids.user}>User id</label>
          <input
            id={ids.user}
            className="input"
            value={user}
            onInput={(event) => setUser(event.currentTarget.value.trim())}
            placeholder="grace-hopper"
            autoComplete="off"
            autoCapitalize="none"
            spellcheck={false}
            maxLength={64}
            aria-invalid={problem !== null}
            aria-describedby={ids.hint}
            autoFocus
          />
          <PersonHint user={user} />
          <p
            className={problem === null ? "hint" : "problem"}
            id={ids.hint}
            role={problem === null ? undefined : "alert"}
          >
            {problem ??
              `Everybody sees their own id at the top left, under their name. Yours is ${chat.user.id}.`}
          </p>
        </div>
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
