import type { ConversationState } from "./conversation-state.ts";
import type { ConversationStore } from "./ports/conversation-store.ts";
import type { EventRecord } from "./ports/records.ts";

/** Somebody whose archive a conversation leaves because of an event. */
export interface ArchiveExit {
  readonly state: ConversationState;
  readonly user: string;
  readonly event: EventRecord;
}

/**
 * Those who archived before the event. A dispatch that is repeated comes late: whoever archived after the event keeps
 * the conversation there.
 */
export async function confirmExits(
  conversations: ConversationStore,
  candidates: readonly ArchiveExit[],
): Promise<ArchiveExit[]> {
  const confirmed: ArchiveExit[] = [];
  for (const exit of candidates) {
    const { state, user, event } = exit;
    const view = await conversations.view(state.app, state.conversation, user);
    const archivedAt = view?.state.archivedAt ?? null;
    if (archivedAt === null) continue;
    if (archivedAt < event.seq) confirmed.push(exit);
    else state.archivedBy.add(user);
  }
  return confirmed;
}
