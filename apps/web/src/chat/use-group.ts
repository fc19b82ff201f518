import { ChatError, type ChatGroup } from "@chat21/client-sdk";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { useChat } from "./chat-context.ts";

/** A group as far as this user may see it. */
export interface GroupView {
  readonly group: ChatGroup | undefined;
  /** This user is not, or no longer, a member. */
  readonly outsider: boolean;
}

/** The group behind a conversation, live; nothing for `null`. Asks the server once, and again after each change. */
export function useGroup(id: string | null): GroupView {
  const { chat } = useChat();
  const [refused, setRefused] = useState(false);
  const subscribe = useCallback(
    (listener: () => void) =>
      chat.on("group", ({ group }) => {
        if (group.id !== id) return;
        setRefused(false);
        listener();
      }),
    [chat, id],
  );
  const group = useSyncExternalStore(subscribe, () => (id === null ? undefined : chat.groups.known(id)));

  useEffect(() => {
    if (id === null) return;
    let current = true;
    chat.groups.get(id).catch((error: unknown) => {
      // A group nobody has created yet is open to whoever writes first.
      if (current && ChatError.fromUnknown(error).code !== "not_found") setRefused(isRefusal(error));
    });
    return () => {
      current = false;
    };
  }, [chat, id]);

  return { group, outsider: group === undefined ? refused : !group.members.includes(chat.user.id) };
}

function isRefusal(error: unknown): boolean {
  const { code } = ChatError.fromUnknown(error);
  return code === "forbidden" || code === "not_member";
}
