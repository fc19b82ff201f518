import type { ChatGroup } from "@chat21/client-sdk";
import { useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { presenceState, usePresence } from "../chat/use-presence.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Icon } from "../ui/icon.tsx";
import { useToasts } from "../ui/toasts.tsx";

/** A member of a group; its owner may remove the others. */
export function MemberRow(props: { group: ChatGroup; member: string; name: string; removable: boolean }) {
  const { group, member, name } = props;
  const { chat } = useChat();
  const toasts = useToasts();
  const [busy, setBusy] = useState(false);
  const self = member === chat.user.id;
  const presence = usePresence(self ? null : member);
  const facts = [self && "you", member === group.owner && "owner", name !== member && member].filter(Boolean);

  async function remove(): Promise<void> {
    setBusy(true);
    await chat.groups.removeMember(group.id, member).catch(toasts.showError);
    setBusy(false);
  }

  return (
    <li>
      <Avatar id={member} name={name} size="small" presence={presenceState(presence)} />
      <div>
        <p className="ellipsis">{name}</p>
        <small className="ellipsis">{facts.join(" · ")}</small>
      </div>
      {props.removable && !self && (
        <button
          type="button"
          className="icon-button"
          aria-label={`Remove ${name} from the group`}
          title="Remove"
          disabled={busy}
          onClick={remove}
        >
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}
