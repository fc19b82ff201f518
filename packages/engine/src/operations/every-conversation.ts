import type { ConversationStore } from "../ports/conversation-store.ts";

const perPage = 1_000;

/**
 * Ids of all conversations in which the user has ever been a member, in pages of up to 1,000. Each one that exists at the
 * first page is reached, whatever is written meanwhile.
 */
export async function* everyConversation(
  conversations: Pick<ConversationStore, "heads">,
  app: string,
  user: string,
): AsyncGenerator<readonly string[], void> {
  for (let after: string | undefined; ; ) {
    const heads = await conversations.heads(app, user, perPage, after);
    const page = heads.map(({ conversation }) => conversation);
    yield page;
    if (page.length < perPage) return;
    after = page.at(-1);
  }
}
