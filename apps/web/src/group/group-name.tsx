import type { ChatGroup } from "@chat21/client-sdk";
import { useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { shownName } from "../ui/foreign-text.ts";
import { Icon } from "../ui/icon.tsx";
import { useToasts } from "../ui/toasts.tsx";

/** The name of a group. With `editable` it can be changed in place. */
export function GroupName({ group, editable }: { group: ChatGroup; editable: boolean }) {
  const { chat } = useChat();
  const toasts = useToasts();
  const [edited, setEdited] = useState<string | null>(null);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const name = edited?.trim() ?? "";
    if (name === "") return;
    try {
      if (name !== group.name) await chat.groups.rename(group.id, name);
      setEdited(null);
    } catch (error) {
      toasts.showError(error);
    }
  }

  function handleKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    setEdited(null);
  }

  if (edited === null) {
    return (
      <>
        <h3>{shownName(group.name, group.id)}</h3>
        {editable && (
          <button type="button" className="button" data-kind="quiet" onClick={() => setEdited(group.name)}>
            <Icon name="pencil" />
            Rename
          </button>
        )}
      </>
    );
  }
  return (
    <form onSubmit={submit}>
      <input
        className="input"
        value={edited}
        onInput={(event) => setEdited(event.currentTarget.value)}
        onKeyDown={handleKey}
        aria-label="Name of the group"
        maxLength={128}
        // biome-ignore lint/a11y/noAutofocus: the user asked for this field.
        autoFocus
      />
      <div>
        <button type="button" className="button" onClick={() => setEdited(null)}>
          Cancel
        </button>
        <button type="submit" className="button" data-kind="primary" disabled={edited.trim() === ""}>
          Save
        </button>
      </div>
    </form>
  );
}
