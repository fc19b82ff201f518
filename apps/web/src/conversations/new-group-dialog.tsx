import { useId, useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { openConversation } from "../chat/route.ts";
import { Dialog } from "../ui/dialog.tsx";
import { explainError } from "../ui/explain-error.ts";
import { TextField } from "../ui/text-field.tsx";
import { parseMembers } from "./parse-members.ts";
import { PersonHint } from "./person-hint.tsx";

/** A dialog that creates a group and opens it. */
export function NewGroupDialog({ onClose }: { onClose: () => void }) {
  const { chat } = useChat();
  const [name, setName] = useState("");
  const [list, setList] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ids = { members: useId(), hint: useId() };

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { members, wrong } = parseMembers(list);
    const fault = name.trim() === "" ? "Give the group a name." : wrong && `“${wrong}” is not a user id.`;
    setProblem(fault ?? null);
    if (fault !== undefined) return;
    setBusy(true);
    try {
      const group = await chat.groups.create({ name: name.trim(), members });
      onClose();
      openConversation(group.id);
    } catch (error) {
      setProblem(explainError(error));
      setBusy(false);
    }
  }

  return (
    <Dialog title="New group" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <TextField
          label="Name"
          value={name}
          onText={setName}
          placeholder="Release crew"
          autoComplete="off"
          maxLength={128}
          autoFocus
        />
        <div className="field">
          <label htmlFor={ids.members}>Members</label>
          <textarea
            id={ids.members}
            className="input"
            rows={3}
            value={list}
            onInput={(event) => setList(event.currentTarget.value)}
            placeholder="grace-hopper, alan-turing"
            autoCapitalize="none"
            spellcheck={false}
            aria-describedby={ids.hint}
          />
          {parseMembers(list).members.map((member) => (
            <PersonHint key={member} user={member} />
          ))}
          <p className="hint" id={ids.hint}>
            User ids, with commas or spaces between them. You become a member too.
          </p>
        </div>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <footer>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button" data-kind="primary" disabled={busy}>
            {busy ? "Creating…" : "Create group"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
