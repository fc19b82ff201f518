import type { ConversationStore } from "../ports/conversation-store.ts";
import { everyPage } from "./every-page.ts";

/**
 * Ids of all conversations in which the user has ever been a member, in pages of up to 1,000. Each one that exists at the
 * first page is reached, whatever is written meanwhile.
 */
export function everyConversation(
  conversations: Pick<ConversationStore, "heads">,
  app: string,
  user: string,
): AsyncGenerator<readonly string[], void> {
  return everyPage(async (limit, after) => {
    const heads = await conversations.heads(app, user, limit, after);
    return heads.map(({ conversation }) => conversation);
  });
}
