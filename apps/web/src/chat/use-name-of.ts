import type { ChatMessage } from "@chat21/client-sdk";
import { useCallback, useRef } from "preact/compat";
import type { NameOf } from "../timeline/info-text.ts";
import { useChat } from "./chat-context.ts";
import { useNames } from "./use-names.ts";

/**
 * Returns a function that names people: by their profile, else by their own name in `messages`, else by the title of the
 * conversation with them. It is the same function as long as the names are the same.
 */
export function useNameOf(messages: readonly ChatMessage[]): NameOf {
  const { chat } = useChat();
  const names = useNames();
  const version = names.version();
  const claimed = useSameMap(new Map(messages.map((message) => [message.sender, message.senderFullname])));
  // Another version has other names.
  return useCallback(
    (user) => names.of(user, claimed.get(user) ?? chat.conversations.get(user)?.title),
    [chat, names, version, claimed],
  );
}

/** Returns the map of an earlier render when the new one says the same. */
function useSameMap(map: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const last = useRef(map);
  const isSame =
    last.current.size === map.size && [...map].every(([key, value]) => last.current.get(key) === value);
  if (!isSame) last.current = map;
  return last.current;
}
