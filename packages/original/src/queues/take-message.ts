import type {
  Clock,
  ConversationRecord,
  DecodedMessage,
  EventRecord,
  MemberRecord,
  Run,
  Store,
} from "@chat21/engine";
import { isOpen, withInterval } from "@chat21/engine";
import { directMembers, isUserId, limits, systemUser } from "@chat21/protocol";
import { nextEvent, type OriginalEvent } from "../conversations/next-event.ts";
import { clearMarks } from "../conversations/writes.ts";
import { originalBody } from "../documents/body.ts";
import { type OriginalCopy, type OriginalDocument, readOriginalCopy } from "../documents/copy.ts";
import type { OriginalRefusal, Refused } from "../refusals.ts";
import { isRefused } from "../refusals.ts";

/**
 * The outcome for a copy. `appended`: it became the conversation's newest event. `known`: the message is there already,
 * through another copy or an import. `stub`: not a message, but a receipt of an unknown one.
 */
export type TakenMessage =
  | { readonly status: "appended" | "known"; readonly conversation: string; readonly seq: number }
  | { readonly status: "stub" }
  | { readonly status: "refused"; readonly reason: OriginalRefusal; readonly detail?: string };

/**
 * Appends one copy of a message, as an original left it in its queue `persist`, to its conversation, unless the message
 * is there already. Nothing is delivered: its receivers had it live. Idempotent, also with other writers at the same
 * time. Run it after the import, whose numbers come first. Throws the store's errors.
 */
export async function takeOriginalMessage(
  store: Store,
  copy: OriginalDocument,
  clock: Pick<Clock, "now">,
): Promise<TakenMessage> {
  const now = clock.now();
  // A queue keeps no time of its own: a message without one gets the time at which it is found.
  const facts = readOriginalCopy(copy, { now, createdAt: now });
  if ("stubOf" in facts) return { status: "stub" };
  if (isRefused(facts)) return refusal(facts);
  const body = originalBody(copy);
  return isRefused(body) ? refusal(body) : append(store, facts, body, now);
}

function refusal({ refused, detail }: Refused): TakenMessage {
  return { status: "refused", reason: refused, ...(detail === undefined ? {} : { detail }) };
}

async function append(
  store: Store,
  facts: OriginalCopy,
  body: DecodedMessage,
  now: number,
): Promise<TakenMessage> {
  const { app, conversation, messageId } = facts;
  let clientMessageId = body.clientMessageId;
  for (;;) {
    // The head is read first: a writer that stores the message after this makes the commit stale, and one that stores
    // it before is found here.
    const [record] = await store.conversations.load([{ app, conversation }]);
    const found = await store.events.find(app, conversation, messageId);
    if (found?.messageId === messageId) {
      // An earlier call may have ended between its two writes.
      store.events.markDispatched([found]);
      return { status: "known", conversation, seq: found.seq };
    }
    const event = eventOf(facts, { ...body, clientMessageId }, record ?? null, now);
    const [result] = await store.events.commit([runOf(record ?? null, event, body)]);
    if (result?.status === "repeat") clientMessageId = null;
    if (result?.status !== "committed") continue;
    await clearMarks(store, [event]);
    return { status: "appended", conversation, seq: event.seq };
  }
}

function eventOf(
  facts: OriginalCopy,
  body: DecodedMessage,
  record: ConversationRecord | null,
  now: number,
): EventRecord {
  const { app, conversation, sender, messageId, timestamp } = facts;
  const { clientMessageId, tempUid, hiddenFor, listed } = body;
  const { head = 0, lastTimestamp = 0 } = record ?? {};
  const draft: OriginalEvent = {
    ...{ type: "message", sender, clientMessageId, messageId, timestamp, tempUid, listed },
    body: body.body,
    hiddenFor: hiddenFor === sender || hiddenFor === facts.owner ? null : hiddenFor,
  };
  return nextEvent({ app, conversation, head, lastTimestamp }, draft, now);
}

function runOf(record: ConversationRecord | null, event: EventRecord, body: DecodedMessage): Run {
  const { app, conversation } = event;
  const kind = record?.kind ?? (directMembers(conversation) === null ? "group" : "direct");
  const group = record?.group ?? null;
  const members = group === null ? membersOf(record, event, body) : [];
  return {
    app,
    conversation,
    expectedHead: event.seq - 1,
    events: [event],
    kind,
    // This includes a group that is one by its channel type alone.
    transient: record?.transient === true || (kind === "group" && group === null),
    ...(members.length === 0 ? {} : { members }),
  };
}

/** The users who see the message in a conversation without group data: the rules of a live send. */
function membersOf(
  record: ConversationRecord | null,
  { conversation, sender, seq }: EventRecord,
  body: DecodedMessage,
): MemberRecord[] {
  const isFirst = seq === 1;
  const pair = directMembers(conversation);
  if (pair !== null) {
    if (!isFirst) return [];
    return [...new Set(pair)].map((user) => ({ user, role: "member", intervals: [[1, null]] }));
  }
  const members: MemberRecord[] = [];
  if (isFirst && sender !== systemUser) {
    members.push({ user: sender, role: "owner", intervals: [[1, null]] });
  }
  const known = new Map(record?.members.map((member) => [member.user, member]));
  const audience = new Set([...(body.inlineMembers ?? []).slice(0, limits.inlineGroupMembers), sender]);
  for (const user of audience) {
    const member = known.get(user) ?? { user, role: "member", intervals: [] };
    if (!isUserId(user) || user === conversation || isOpen(member)) continue;
    if (members.some((other) => other.user === user)) continue;
    members.push(withInterval(member, seq, seq));
  }
  return members;
}
