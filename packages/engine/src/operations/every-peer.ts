import type { ConversationStore } from "../ports/conversation-store.ts";

const peersPerPage = 1_000;

/**
 * All users who share a direct conversation with `user`, page by page. Every peer that exists at the first page is
 * reached, whatever their number and whatever is written meanwhile.
 */
export async function* everyPeer(
  conversations: Pick<ConversationStore, "peers">,
  app: string,
  user: string,
): AsyncGenerator<string> {
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page: readonly string[] = await conversations.peers(app, user, peersPerPage, after);
    yield* page;
    after = page.length < peersPerPage ? undefined : page.at(-1);
  }
}
