import { Icon } from "./icon.tsx";
import { initials, toneOf } from "./name-mark.ts";

/** Whether somebody is there, as far as is known. */
export type PresenceState = "online" | "offline" | "unknown";

/** Who, at a glance. Decorative: the name stands next to it. `presence` adds a dot that screen readers hear. */
export function Avatar(props: {
  id: string;
  name: string;
  group?: boolean;
  size?: "small" | "large" | undefined;
  presence?: PresenceState | undefined;
}) {
  const { id, name, group = false, size, presence } = props;
  return (
    <span className="avatar" data-tone={toneOf(id)} data-size={size}>
      <span aria-hidden="true">{group ? <Icon name="group" /> : initials(name)}</span>
      {presence !== undefined && presence !== "unknown" && (
        <span className="presence" data-presence={presence}>
          <span className="visually-hidden">{presence}</span>
        </span>
      )}
    </span>
  );
}
