import type { ConversationStore } from "../ports/conversation-store.ts";
import { everyPage } from "./every-page.ts";

/**
 * All users who share a direct conversation with `user`, page by page. Every peer that exists at the first page is
 * reached, whatever their number and whatever is written meanwhile.
 */
export async function* everyPeer(
  conversations: Pick<ConversationStore, "peers">,
  app: string,
  user: string,
): AsyncGenerator<string, void> {
  const pages = everyPage((limit, after) => conversations.peers(app, user, limit, after));
  for await (const page of pages) yield* page;
}
