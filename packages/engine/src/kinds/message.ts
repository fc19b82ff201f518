import {
  ChatError,
  directMembers,
  eventKinds,
  fitsRoutingKeys,
  isUserId,
  limits,
  messageStatus,
  systemUser,
  topics,
} from "@chat21/protocol";
import type { DecodedMessage } from "../decode-message.ts";
import type { InboxCopy } from "../ports/event-sink.ts";
import type { ConversationKind, EventRecord, MemberRecord } from "../ports/records.ts";
import { isErased, messageJson, recipientOf } from "../project-message.ts";
import { sees } from "../view/view.ts";
import type { WorkingConversation } from "../working-conversation.ts";
import { withInterval } from "../working-conversation.ts";
import type { Kind, Outlet } from "./kind.ts";
import type { Decide, DecisionContext, EventDraft, Plan } from "./plan.ts";

/** A message: S1 in the inbox of every user who sees it, and the facts `message-sent` and `message-delivered`. */
export const message: Kind = {
  wire: eventKinds.message,
  listed: true,
  data: () => null,
  tell(event, state, outlet) {
    // A repeated dispatch may come after the erasure.
    if (isErased(event)) return;
    if (state.kind === "direct") tellPair(event, state, outlet);
    else tellGroup(event, state, outlet);
  },
};

function tellPair(event: EventRecord, state: WorkingConversation, outlet: Outlet): void {
  const { sender } = event;
  const recipient = recipientOf(event);
  const sent = copyFor(event, sender, recipient, messageStatus.sent, outlet);
  const delivered =
    event.hiddenFor === recipient ? null : copyFor(event, recipient, sender, messageStatus.delivered, outlet);
  if (sent === null || !outlet.takesFacts) return;
  const copies = delivered === null ? [] : [delivered];
  outlet.fact({ kind: "message", event, conversationKind: state.kind, sent, delivered: copies });
}

function copyFor(
  event: EventRecord,
  user: string,
  conversWith: string,
  status: number,
  outlet: Outlet,
): InboxCopy | null {
  const isReached = outlet.reaches(user);
  if (!isReached && !outlet.takesFacts) return null;
  const payload = messageJson(event, outlet.epoch, status);
  if (isReached) outlet.deliver(user, topics.messageAdded(event.app, user, conversWith), payload);
  return outlet.takesFacts ? { user, conversWith, status, payload } : null;
}

function tellGroup(event: EventRecord, state: WorkingConversation, outlet: Outlet): void {
  const { app, conversation } = event;
  const status = messageStatus.delivered;
  const payload = messageJson(event, outlet.epoch, status);
  const delivered: InboxCopy[] = [];
  for (const { user, intervals } of state.members.values()) {
    if (user === event.hiddenFor || !sees(intervals, event.seq)) continue;
    if (outlet.reaches(user)) outlet.deliver(user, topics.messageAdded(app, user, conversation), payload);
    if (outlet.takesFacts) delivered.push({ user, conversWith: conversation, status, payload });
  }
  if (!outlet.takesFacts) return;
  const timeline = messageJson(event, outlet.epoch, messageStatus.sent);
  const own = { user: conversation, conversWith: conversation };
  const sent = { ...own, status: messageStatus.sent, payload: timeline };
  outlet.fact({ kind: "message", event, conversationKind: state.kind, sent, delivered });
}

/** The sender of a message, and the right to send it. */
export interface Sender {
  readonly user: string;
  /** Sends with an admin's token: membership is not checked. */
  readonly admin: boolean;
}

/**
 * Sends a message into a conversation. This is the only rule about who may write where.
 * @param mayBegin whether the message may begin a group that nobody has created
 */
export function sendMessage(sender: Sender, message: DecodedMessage, mayBegin: boolean): Decide {
  return (state, context) => {
    const events = [messageDraft(sender.user, message, state.kind, context)];
    if (state.kind === "direct") return state.head === 0 ? { events, members: pairOf(state) } : { events };
    if (state.group !== null) {
      if (!sender.admin && sender.user !== systemUser && !state.isMember(sender.user)) {
        throw new ChatError("not_member", "the sender is not a member of the group");
      }
      if (message.inlineMembers !== null) {
        throw new ChatError("conflict", "an inline group may not name a group that exists");
      }
      return { events };
    }
    // Who names the members means a new group; without them an id that is not known may be a slip.
    if (state.head === 0 && !mayBegin && message.inlineMembers === null) throw unknownGroup();
    return intoTransientGroup(state, sender, message, events);
  };
}

function unknownGroup(): ChatError {
  return new ChatError("not_found", "there is no such group");
}

/** A message to a group that was never created: every support chat begins this way. */
function intoTransientGroup(
  state: WorkingConversation,
  sender: Sender,
  message: DecodedMessage,
  events: readonly EventDraft[],
): Plan {
  if (!state.transient) throw unknownGroup();
  const owned = state.head === 0 || state.members.get(sender.user)?.role === "owner";
  if (!owned && !sender.admin && sender.user !== systemUser) {
    throw new ChatError("not_member", "the group does not exist yet, and somebody else has begun it");
  }
  const seq = state.head + 1;
  const members: MemberRecord[] = [];
  // The first sender sees everything from the start; `system` writes for others and owns nothing.
  if (state.head === 0 && sender.user !== systemUser) {
    members.push({ user: sender.user, role: "owner", intervals: [[1, null]] });
  }
  for (const user of inlineAudience(state, sender, message)) {
    const known = state.members.get(user) ?? { user, role: "member", intervals: [] };
    members.push(withInterval(known, seq, seq));
  }
  return members.length === 0 ? { events, transient: true } : { events, transient: true, members };
}

function inlineAudience(
  state: WorkingConversation,
  sender: Sender,
  message: DecodedMessage,
): readonly string[] {
  if (message.inlineMembers === null) return [];
  if (message.inlineMembers.length > limits.inlineGroupMembers) {
    throw new ChatError("bad_request", `an inline group names at most ${limits.inlineGroupMembers} members`);
  }
  const audience: string[] = [];
  for (const user of message.inlineMembers) {
    if (user === state.conversation || user === sender.user) continue;
    if (!isUserId(user)) throw new ChatError("invalid_id", "a member's id has a form that is not allowed");
    requireRoutable(state.app, user, state.conversation);
    if (!state.isMember(user)) audience.push(user);
  }
  return audience;
}

/** Throws `invalid_id` when a broker could not carry the topics between the two. */
export function requireRoutable(app: string, user: string, conversWith: string): void {
  if (!fitsRoutingKeys(app, user, conversWith)) {
    throw new ChatError(
      "invalid_id",
      `the ids together are too long for a routing key of ${limits.routingKeyBytes} bytes`,
    );
  }
}

function pairOf(state: WorkingConversation): MemberRecord[] {
  const pair = directMembers(state.conversation) ?? [];
  return [...new Set(pair)].map((user) => ({ user, role: "member", intervals: [[1, null]] }));
}

function messageDraft(
  sender: string,
  message: DecodedMessage,
  kind: ConversationKind,
  context: DecisionContext,
): EventDraft {
  return {
    type: "message",
    sender,
    clientMessageId: message.clientMessageId,
    messageId: context.newId(),
    timestamp: believable(message.timestamp, context.now),
    body: message.body,
    tempUid: message.tempUid,
    // A message cannot be hidden from its own sender: the copy that settles the send would be missing. In a direct
    // conversation it would make acquaintances of two people of whom one does not know.
    hiddenFor: kind === "direct" || message.hiddenFor === sender ? null : message.hiddenFor,
    listed: message.listed,
  };
}

/** A client's own timestamp is kept when it is near the server's clock. */
function believable(timestamp: number | null, now: number): number | null {
  if (timestamp === null || !Number.isInteger(timestamp)) return null;
  const near = timestamp >= now - limits.timestampPastMs && timestamp <= now + limits.timestampFutureMs;
  return near ? timestamp : null;
}
