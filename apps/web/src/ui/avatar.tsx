import { Icon } from "./icon.tsx";
import { initials, toneOf } from "./name-mark.ts";

/**
 * The picture of a person. Screen readers skip it, because the name is next to it. `presence` adds a dot that they
 * read.
 */
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

/** The presence of a person, as an avatar shows it. */
export type PresenceState = "online" | "offline" | "unknown";
