import { directConversationId, limits, looksLikeGroupId } from "@chat21/protocol";
import { eraseMessages } from "../kinds/erased.ts";
import type { OperationsContext } from "../operations-context.ts";
import type { MessageSearch } from "../ports/event-log.ts";
import type { EventRef } from "../ports/records.ts";
import { everyPeer } from "./every-peer.ts";

/** Erases every message of a group, or of all direct conversations of a user; answers the number of messages. */
export async function eraseWith(
  context: OperationsContext,
  app: string,
  actor: string,
  conversWith: string,
): Promise<number> {
  let erased = await eraseFound(context, actor, { app, conversation: conversWith });
  if (!looksLikeGroupId(conversWith)) {
    for await (const peer of everyPeer(context.store.conversations, app, conversWith)) {
      const conversation = directConversationId(conversWith, peer);
      erased += await eraseFound(context, actor, { app, conversation });
    }
  }
  if (erased > 0) await context.store.events.scrub();
  return erased;
}

/** Erases every message that a user wrote in the app; answers the number of messages. */
export async function eraseSender(
  context: OperationsContext,
  app: string,
  actor: string,
  sender: string,
): Promise<number> {
  const erased = await eraseFound(context, actor, { app, sender });
  if (erased > 0) await context.store.events.scrub();
  return erased;
}

/** After a kill half way only whole events are stored: the next call finds the remaining messages. */
async function eraseFound(context: OperationsContext, actor: string, search: MessageSearch): Promise<number> {
  const { store, writer } = context;
  let erased = 0;
  for (let from: string | null | undefined; from !== null; ) {
    const step = await store.events.findMessages(from === undefined ? search : { ...search, from });
    for (const [conversation, seqs] of byConversation(step.found)) {
      for (let at = 0; at < seqs.length; at += limits.erasedPerEvent) {
        const some = seqs.slice(at, at + limits.erasedPerEvent);
        await writer.write(search.app, conversation, eraseMessages(actor, some));
        erased += some.length;
      }
    }
    from = step.next;
  }
  return erased;
}

function byConversation(refs: readonly EventRef[]): ReadonlyMap<string, readonly number[]> {
  const grouped = new Map<string, number[]>();
  for (const { conversation, seq } of refs) {
    const seqs = grouped.get(conversation);
    if (seqs === undefined) grouped.set(conversation, [seq]);
    else seqs.push(seq);
  }
  return grouped;
}
