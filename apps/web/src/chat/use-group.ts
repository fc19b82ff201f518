import { ChatError, type ChatGroup } from "@chat21/client-sdk";
import { useCallback, useEffect, useState, useSyncExternalStore } from "preact/compat";
import { useChat } from "./chat-context.ts";

/** Returns the group with this id, live; no group for `null`. Asks the server each time the client comes online. */
export function useGroup(id: string | null): GroupView {
  const { chat, connection } = useChat();
  const [answer, setAnswer] = useState<"none" | "group" | "refused">("none");
  const online = useSyncExternalStore(connection.subscribe, () => connection.get().status === "online");
  const subscribe = useCallback((listener: () => void) => chat.on("group", listener), [chat]);
  const group = useSyncExternalStore(subscribe, () => (id === null ? undefined : chat.groups.known(id)));

  useEffect(() => {
    if (id === null || !online) return;
    let current = true;
    chat.groups.get(id).then(
      () => current && setAnswer("group"),
      (error: unknown) => current && setAnswer(isRefusal(error) ? "refused" : "none"),
    );
    return () => {
      current = false;
    };
  }, [chat, id, online]);

  const member = group?.members.includes(chat.user.id);
  return { group, outsider: answer === "refused" ? member !== true : member === false };
}

/** A group, as this user may see it. */
export interface GroupView {
  readonly group: ChatGroup | undefined;
  /** This user is not, or no longer, a member. */
  readonly outsider: boolean;
}

/**
 * Says whether the server refused access. `not_found` is no refusal: anyone may write first to a group not yet created.
 */
function isRefusal(error: unknown): boolean {
  const { code } = ChatError.fromUnknown(error);
  return code === "forbidden" || code === "not_member";
}
