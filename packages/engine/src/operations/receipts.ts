import { directConversationId, isUserId, limits, looksLikeGroupId, topics } from "@chat21/protocol";
import type { OperationsContext } from "../operations-context.ts";
import { deliver, handOver } from "../operations-context.ts";
import { receipt, watermarkNotices } from "./conversations.ts";

/** A receipt as P2 brings it. */
export interface IncomingReceipt {
  readonly app: string;
  readonly user: string;
  readonly conversWith: string;
  /** A message id, or the sender's own name for the message (`attributes.tempUID`). */
  readonly messageId: string;
}

/**
 * Takes P2 with status 200. It only counts between two people who share the conversation, and for the other one's
 * messages. A known id moves the watermark. An unknown id is relayed as given (clients use ids of their own), not
 * stored, and rate-limited; so is the id of a message that lies farther back than `limits.receiptReach`. Receipts in
 * groups are swallowed.
 */
export async function takeReceipt(context: OperationsContext, incoming: IncomingReceipt): Promise<void> {
  const { store, states, clock } = context;
  const { app, user, conversWith, messageId } = incoming;
  if (looksLikeGroupId(conversWith) || !isUserId(conversWith)) return;
  const topic = topics.messageUpdated(app, conversWith, user, messageId);
  // The id is the client's choice: only here it is known whether a broker can carry its topic.
  if (topic.length > limits.routingKeyBytes) return;
  const conversation = directConversationId(user, conversWith);
  if (!(await states.hasBegun(app, conversation))) return;
  const event = await store.events.find(app, conversation, messageId, limits.receiptReach);
  if (event === null) context.budgets.spend("unknown_receipt", app, { user, admin: false });
  else if (event.sender !== conversWith || event.hiddenFor === user) return;
  else {
    const [state] = await store.conversations.patch([{ app, conversation, user, delivered: event.seq }]);
    if (state !== undefined && state !== null)
      await deliver(context, watermarkNotices(app, conversation, user, state));
  }
  await deliver(context, [receipt(app, user, conversWith, messageId)]);
  if (event === null) return;
  await handOver(context, [
    { kind: "receipt", app, conversation, user, conversWith, messageId, at: clock.now() },
  ]);
}
