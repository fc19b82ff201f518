import { topics } from "@chat21/protocol";
import type { ConversationStore } from "./ports/conversation-store.ts";
import type { Delivery } from "./ports/edge.ts";
import type { Fact } from "./ports/event-sink.ts";
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

/** What tells that a conversation has left a user's archive: the user's devices, and backends. */
export function exitNotice(exit: {
  readonly app: string;
  readonly conversation: string;
  readonly user: string;
  readonly conversWith: string;
  readonly at: number;
}): { readonly delivery: Delivery; readonly fact: Fact } {
  const { app, user, conversWith } = exit;
  const document = `{"timelineOf":"${user}","conversWith":"${conversWith}"}`;
  const topic = topics.archivedConversationDeleted(app, user, conversWith);
  return {
    delivery: { app, user, topic, payload: document, qos: 1 },
    fact: { kind: "unarchived", document, ...exit },
  };
}
