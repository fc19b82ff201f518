import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { AccountKey, ConversationKey } from "./documents.ts";

/** Which of a user's conversations. */
export interface NamesPage {
  /** Those behind this name; `""`: from the first. */
  readonly after: string;
  readonly limit: number;
}

/**
 * Keys of conversations that a user is, or was, a member of, by name: from the index `account` alone. Earlier names are not
 * read, and no document is.
 */
export function createNamesOfMember({ collections: { members }, queryTimeoutMs: maxTimeMS }: Database) {
  return async function namesOf(
    account: AccountKey,
    { after, limit }: NamesPage,
    session: mongo.ClientSession,
  ): Promise<readonly ConversationKey[]> {
    const behind = { app: account.app, conversation: after };
    const page = await members
      .find(
        { account, conversation: { $gt: behind } },
        {
          ...{ session, maxTimeMS, hint: "account", batchSize: Math.min(limit, 10_000) },
          projection: { _id: 0, conversation: 1 },
        },
      )
      .sort({ conversation: 1 })
      .limit(limit)
      .toArray();
    return page.map(({ conversation }) => conversation);
  };
}
