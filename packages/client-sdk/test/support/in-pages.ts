import type { Store } from "@chat21/engine";

/** The store, with so many conversations at once, at most, where it answers what has changed. */
export function inPages<Any extends Pick<Store, "conversations">>(
  store: Any,
  pageConversations: number | undefined,
): Any {
  if (pageConversations === undefined) return store;
  const { changes, ...conversations } = store.conversations;
  const few: typeof changes = (query) => changes({ ...query, limit: pageConversations });
  return { ...store, conversations: { ...conversations, changes: few } };
}
