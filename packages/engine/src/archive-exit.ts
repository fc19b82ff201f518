import type { ConversationStore } from "./ports/conversation-store.ts";
import type { EventRecord } from "./ports/records.ts";
import { isVisible } from "./view/view.ts";
import type { WorkingConversation } from "./working-conversation.ts";

/** A user whose archive a conversation leaves because of an event. */
export interface ArchiveExit {
  readonly state: WorkingConversation;
  readonly user: string;
  readonly event: EventRecord;
}

/** Users who see the listed event and have archived the conversation, as far as the state knows. */
export function exitsOf(state: WorkingConversation, event: EventRecord): ArchiveExit[] {
  const exits: ArchiveExit[] = [];
  for (const user of state.archivedBy) {
    const member = state.members.get(user);
    if (member !== undefined && isVisible(event, member)) exits.push({ state, user, event });
  }
  return exits;
}

/**
 * Users who archived before the event. A repeated dispatch comes late: for a user who archived after the event, the
 * conversation stays in the archive.
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
    if (archivedAt === null) state.archivedBy.delete(user);
    else if (archivedAt < event.seq) confirmed.push(exit);
  }
  return confirmed;
}
