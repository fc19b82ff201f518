import type { Store } from "@chat21/engine";

/** A store that answers what has changed with so many conversations at once, at most. */
export function inPages<Kept extends Store>(store: Kept, pageConversations: number | undefined): Kept {
  if (pageConversations === undefined) return store;
  const { changes, ...conversations } = store.conversations;
  const few: typeof changes = (query) => changes({ ...query, limit: pageConversations });
  return { ...store, conversations: { ...conversations, changes: few } };
}
