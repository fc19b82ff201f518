import type { ChatGroup } from "@chat21/client-sdk";
import { useId, useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { PersonHint } from "../conversations/person-hint.tsx";
import { userIdProblem } from "../sign-in/user-id.ts";
import { explainError } from "../ui/explain-error.ts";

/** A form that adds somebody to a group by user id. */
export function AddMemberForm({ group }: { group: ChatGroup }) {
  const { chat } = useChat();
  const [user, setUser] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const wrong = userIdProblem(user);
    setProblem(wrong ?? null);
    if (wrong !== undefined) return;
    setBusy(true);
    try {
      await chat.groups.addMember(group.id, user);
      setUser("");
    } catch (error) {
      setProblem(explainError(error));
    }
    setBusy(false);
  }

  return (
    <form className="panel-section" onSubmit={submit} noValidate>
      <h4>
        <label htmlFor={id}>Add a member</label>
      </h4>
      <div className="add-member">
        <input
          id={id}
          className="input"
          value={user}
          onInput={(event) => setUser(event.currentTarget.value.trim())}
          placeholder="User id"
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          maxLength={64}
          aria-invalid={problem !== null}
        />
        <button type="submit" className="button" disabled={busy || user === ""}>
          Add
        </button>
      </div>
      <PersonHint user={user} />
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
