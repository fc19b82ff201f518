import { directConversationId, directMembers } from "@chat21/protocol";
import type { ConversationStore } from "../ports/conversation-store.ts";
import type { ConversationRecord } from "../ports/records.ts";
import { isOpen } from "../working-conversation.ts";
import { everyConversation } from "./every-conversation.ts";

/**
 * Those of `others` who share a conversation with `user`: a direct one with at least one message, or a group that both
 * are members of now. Every user shares with itself.
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
  if (mine.size === 0) return known;
  const common = new Map<string, readonly string[]>();
  for (const stranger of strangers) {
    const groups = await groupsOf(store, app, stranger);
    common.set(
      stranger,
      groups.filter((group) => mine.has(group)),
    );
  }
  // Each group once, whatever the number of users asked about: a list of its members asks about all of them.
  const wanted = [...new Set([...common.values()].flat())];
  const records = await store.load(wanted.map((conversation) => ({ app, conversation })));
  const present = new Map(records.flatMap((record) => (record === null ? [] : [presentIn(record)])));
  for (const [stranger, groups] of common) {
    const isTogether = (users: ReadonlySet<string> | undefined) => users?.has(user) && users.has(stranger);
    if (groups.some((group) => isTogether(present.get(group)))) known.add(stranger);
  }
  return known;
}

async function groupsOf(store: ConversationStore, app: string, user: string): Promise<readonly string[]> {
  const groups: string[] = [];
  for await (const page of everyConversation(store, app, user))
    groups.push(...page.filter((id) => directMembers(id) === null));
  return groups;
}

function presentIn({ conversation, members }: ConversationRecord): [string, ReadonlySet<string>] {
  return [conversation, new Set(members.filter(isOpen).map(({ user }) => user))];
}
