import type { EventRecord, MemberRecord, Run } from "@chat21/engine";

function event(conversation: string, seq: number, over: Partial<EventRecord>): EventRecord {
  const name = `${conversation}-${seq}`;
  return {
    ...{ app: "app", conversation, seq, type: "message", sender: "ann", clientMessageId: null },
    ...{ messageId: `id-${name}`, timestamp: 1_700_000_000_000 + seq, committedAt: 1_700_000_000_000 + seq },
    ...{ body: `{"text":"${name}"}`, tempUid: null, hiddenFor: null, listed: true, overlay: null },
    ...over,
  };
}

/** Members who see everything. */
export function membersOf(...users: readonly string[]): readonly MemberRecord[] {
  return users.map((user) => ({ user, role: "member", intervals: [[1, null]] }));
}

/** A run of `count` messages at a head; the first one of a conversation brings `members`. */
export function groupRun(
  conversation: string,
  expectedHead: number,
  { count = 1, each = {}, ...facts }: Partial<Run> & { count?: number; each?: Partial<EventRecord> } = {},
): Run {
  return {
    ...{ app: "app", conversation, expectedHead, kind: "group", transient: false, ...facts },
    events: Array.from({ length: count }, (_, index) => event(conversation, expectedHead + 1 + index, each)),
  };
}
