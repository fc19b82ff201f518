import type { ConversationStore } from "../ports/conversation-store.ts";

const perPage = 1_000;

/**
 * All users who share a direct conversation with `user`, page by page. Every peer that exists at the first page is
 * reached, whatever their number and whatever is written meanwhile.
 */
export async function* everyPeer(
  conversations: Pick<ConversationStore, "peers">,
  app: string,
  user: string,
): AsyncGenerator<string, void> {
  for (let after: string | undefined; ; ) {
    const page: readonly string[] = await conversations.peers(app, user, perPage, after);
    yield* page;
    if (page.length < perPage) return;
    after = page.at(-1);
  }
}
