import { useNames } from "../chat/use-names.ts";
import { userIdProblem } from "../sign-in/user-id.ts";
import { Avatar } from "../ui/avatar.tsx";
import { shownName } from "../ui/foreign-text.ts";
import { useSettled } from "../ui/use-settled.ts";

/** Shows whom an id belongs to, by the profile on the server. Shows nothing for ids without one. */
export function PersonHint({ user }: { user: string }) {
  const names = useNames();
  // Not every beginning of an id is asked for while it is typed.
  const settled = useSettled(user, typingMs);
  const name = settled === user && userIdProblem(user) === undefined ? names.profile(user) : undefined;
  if (name === undefined) return null;
  return (
    <p className="person-hint">
      <Avatar id={user} name={shownName(name, user)} size="small" />
      <span className="ellipsis">{shownName(name, user)}</span>
      <small className="ellipsis">{user}</small>
    </p>
  );
}

const typingMs = 250;
