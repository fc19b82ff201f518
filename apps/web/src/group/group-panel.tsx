import type { ChatGroup } from "@chat21/client-sdk";
import { useState } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import type { NameOf } from "../timeline/info-text.ts";
import { Avatar } from "../ui/avatar.tsx";
import { shownName } from "../ui/foreign-text.ts";
import { Icon } from "../ui/icon.tsx";
import { AddMemberForm } from "./add-member-form.tsx";
import { GroupName } from "./group-name.tsx";
import { LeaveDialog } from "./leave-dialog.tsx";
import { MemberRow } from "./member-row.tsx";

/** The panel of a group: its name, its members, and the actions this user may take. */
export function GroupPanel({ group, outsider, nameOf, onClose }: PanelProps) {
  const { chat } = useChat();
  const [leaving, setLeaving] = useState(false);
  const owns = group.owner === chat.user.id && !outsider;
  const members = [...group.members].sort((a, b) => nameOf(a).localeCompare(nameOf(b)));

  function handleKey(event: KeyboardEvent): void {
    if (event.key !== "Escape" || leaving) return;
    event.preventDefault();
    onClose();
  }

  return (
    <aside className="panel" aria-label="Group details" onKeyDown={handleKey}>
      <header className="bar">
        <div className="bar-title">
          <h2>Group details</h2>
        </div>
        <button type="button" className="icon-button" aria-label="Close group details" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="panel-body">
        <div className="panel-head">
          <Avatar id={group.id} name={shownName(group.name, group.id)} group size="large" />
          <GroupName group={group} editable={owns} />
        </div>
        <section className="panel-section">
          <h4>{members.length === 1 ? "1 member" : `${members.length} members`}</h4>
          <ul className="members">
            {members.map((member) => (
              <MemberRow key={member} group={group} member={member} name={nameOf(member)} removable={owns} />
            ))}
          </ul>
        </section>
        {owns && <AddMemberForm group={group} />}
        {!outsider && (
          <button type="button" className="button" data-kind="danger" onClick={() => setLeaving(true)}>
            <Icon name="exit" />
            Leave group
          </button>
        )}
      </div>
      {leaving && <LeaveDialog group={group} onClose={() => setLeaving(false)} />}
    </aside>
  );
}

interface PanelProps {
  group: ChatGroup;
  /** This user is not a member and can change nothing. */
  outsider: boolean;
  nameOf: NameOf;
  onClose: () => void;
}
