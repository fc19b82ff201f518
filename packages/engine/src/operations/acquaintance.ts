import { directConversationId, directMembers } from "@chat21/protocol";
import type { ConversationRecord } from "../ports/records.ts";
import type { ConversationStore } from "../ports/store.ts";

/** Conversations of one user that are looked through for common groups. */
const conversations = 10_000;

/**
 * Which of `others` share a conversation with `user`: a direct one in which something was said, or a group that both
 * are members of now. Everybody knows oneself.
 */
export async function acquaintancesOf(
  store: ConversationStore,
  app: string,
  user: string,
  others: readonly string[],
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  const direct = await store.load(
    others.map((other) => ({ app, conversation: directConversationId(user, other) })),
  );
  const strangers: string[] = [];
  others.forEach((other, index) => {
    if (other === user || (direct[index]?.head ?? 0) > 0) known.add(other);
    else strangers.push(other);
  });
  if (strangers.length === 0) return known;
  const mine = new Set(await groupsOf(store, app, user));
  for (const stranger of mine.size === 0 ? [] : strangers) {
    const common = (await groupsOf(store, app, stranger)).filter((group) => mine.has(group));
    const records = await store.load(common.map((conversation) => ({ app, conversation })));
    if (records.some((record) => isMember(record, user) && isMember(record, stranger))) known.add(stranger);
  }
  return known;
}

async function groupsOf(store: ConversationStore, app: string, user: string): Promise<readonly string[]> {
  const heads = await store.heads(app, user, conversations);
  return heads.map(({ conversation }) => conversation).filter((id) => directMembers(id) === null);
}

function isMember(record: ConversationRecord | null | undefined, user: string): boolean {
  const member = record?.members.find((candidate) => candidate.user === user);
  return member?.intervals.at(-1)?.[1] === null;
}
