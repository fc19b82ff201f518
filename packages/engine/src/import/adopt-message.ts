import { directMembers, isId, limits, systemUser } from "@chat21/protocol";
import { ConversationState, withInterval } from "../conversation-state.ts";
import type { DecodedMessage } from "../decode-message.ts";
import type { Clock } from "../ports/clock.ts";
import type { Run } from "../ports/event-log.ts";
import type { EventRecord, MemberRecord } from "../ports/records.ts";
import type { Store } from "../ports/store.ts";
import type { ImportRefusal, Refused } from "./import-refusals.ts";
import { isRefused } from "./import-refusals.ts";
import { clearMarks } from "./import-writes.ts";
import { originalBody } from "./original-body.ts";
import { type OriginalCopy, type OriginalDocument, readOriginalCopy } from "./original-copy.ts";

/**
 * What became of a copy. `appended`: it became the conversation's newest event. `known`: the message is there already,
 * through another copy or an import. `stub`: no message at all, but a receipt of one that nobody knows.
 */
export type AdoptResult =
  | { readonly status: "appended" | "known"; readonly conversation: string; readonly seq: number }
  | { readonly status: "stub" }
  | { readonly status: "refused"; readonly reason: ImportRefusal; readonly detail?: string };

/**
 * Appends one copy of a message, as an original left it in its queue `persist`, to its conversation, unless the message
 * is there already. Nobody is told: its receivers had it live. Idempotent, whoever else writes at the same time. Run
 * it after the import, whose numbers come first. Throws what the store throws.
 */
export async function adoptMessage(
  store: Store,
  copy: OriginalDocument,
  clock: Pick<Clock, "now">,
): Promise<AdoptResult> {
  const now = clock.now();
  // A queue keeps no time of its own: a message without one is as old as the moment it is found.
  const facts = readOriginalCopy(copy, { now, createdAt: now });
  if ("stubOf" in facts) return { status: "stub" };
  if (isRefused(facts)) return refusal(facts);
  const body = originalBody(copy);
  return isRefused(body) ? refusal(body) : append(store, facts, body, now);
}

function refusal({ refused, detail }: Refused): AdoptResult {
  return { status: "refused", reason: refused, ...(detail === undefined ? {} : { detail }) };
}

async function append(
  store: Store,
  facts: OriginalCopy,
  body: DecodedMessage,
  now: number,
): Promise<AdoptResult> {
  const { app, conversation, messageId } = facts;
  let clientMessageId = body.clientMessageId;
  for (;;) {
    // The head first: whoever stores the message after this makes the commit stale, and before it is found here.
    const [record] = await store.conversations.load([{ app, conversation }]);
    const found = await store.events.find(app, conversation, messageId);
    if (found?.messageId === messageId) {
      // An earlier call may have ended between its two writes.
      store.events.markDispatched([found]);
      return { status: "known", conversation, seq: found.seq };
    }
    const state = record ? new ConversationState(record) : ConversationState.fresh(app, conversation);
    const event = { ...eventOf(facts, body, state, now), clientMessageId };
    const [result] = await store.events.commit([runOf(state, event, body)]);
    if (result?.status === "repeat") clientMessageId = null;
    if (result?.status !== "committed") continue;
    await clearMarks(store, [event]);
    return { status: "appended", conversation, seq: event.seq };
  }
}

function eventOf(
  facts: OriginalCopy,
  body: DecodedMessage,
  state: ConversationState,
  now: number,
): EventRecord {
  const { app, conversation, sender, messageId, timestamp } = facts;
  const { hiddenFor } = body;
  return {
    app,
    conversation,
    seq: state.head + 1,
    type: "message",
    sender,
    clientMessageId: body.clientMessageId,
    messageId,
    timestamp: Math.max(timestamp, state.lastTimestamp + 1),
    committedAt: now,
    body: body.body,
    tempUid: body.tempUid,
    hiddenFor: hiddenFor === sender || hiddenFor === facts.owner ? null : hiddenFor,
    listed: body.listed,
    overlay: null,
  };
}

function runOf(state: ConversationState, event: EventRecord, body: DecodedMessage): Run {
  const { app, conversation, head, kind, transient } = state;
  const members = state.group === null ? membersOf(state, event, body) : [];
  return {
    app,
    conversation,
    expectedHead: head,
    events: [event],
    kind,
    // Also one that is a group by its channel type alone.
    transient: transient || (kind === "group" && state.group === null),
    ...(members.length === 0 ? {} : { members }),
  };
}

/** Who sees the message in a conversation that has no group data: the rules of a live send. */
function membersOf(
  state: ConversationState,
  { sender, seq }: EventRecord,
  body: DecodedMessage,
): MemberRecord[] {
  const pair = directMembers(state.conversation);
  if (pair !== null) {
    if (state.head > 0) return [];
    return [...new Set(pair)].map((user) => ({ user, role: "member", intervals: [[1, null]] }));
  }
  const members: MemberRecord[] = [];
  if (state.head === 0 && sender !== systemUser) {
    members.push({ user: sender, role: "owner", intervals: [[1, null]] });
  }
  const audience = new Set([...(body.inlineMembers ?? []).slice(0, limits.inlineGroupMembers), sender]);
  for (const user of audience) {
    if (!isId(user) || user === state.conversation || state.isMember(user)) continue;
    if (members.some((member) => member.user === user)) continue;
    const known = state.members.get(user) ?? { user, role: "member", intervals: [] };
    members.push(withInterval(known, seq, seq));
  }
  return members;
}
