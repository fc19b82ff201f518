import {
  ChatError,
  conversationIdOf,
  directConversationId,
  isGroupId,
  isId,
  looksLikeGroupId,
  messageStatus,
  systemUser,
} from "@chat21/protocol";
import type { Sender } from "../decide/send-message.ts";
import { requireRoutable, sendMessage } from "../decide/send-message.ts";
import type { DecodedMessage } from "../decode-message.ts";
import { decodeMessage } from "../decode-message.ts";
import type { MessageOperations, SentMessage } from "../engine.ts";
import type { OperationsContext } from "../operations-context.ts";
import {
  pageLimit,
  requireAdmin,
  requireConversWith,
  requireSelf,
  resolveConversation,
} from "../operations-context.ts";
import type { Arrival } from "../pending-run.ts";
import type { Inbound } from "../ports/edge.ts";
import type { EventRecord } from "../ports/records.ts";
import { messageJson, storedMessageJson } from "../project-message.ts";
import { everyPeer } from "./every-peer.ts";

/** Where a decoded message goes and what became of it. */
export async function sendDecoded(
  context: OperationsContext,
  app: string,
  sender: Sender,
  recipient: string,
  message: DecodedMessage,
  inbound?: Pick<Inbound, "isCurrent" | "redelivered">,
): Promise<{ readonly event: EventRecord; readonly repeated: boolean }> {
  context.requireService(app);
  const again = inbound?.redelivered === true;
  if (!again && !sender.admin && sender.user !== systemUser) context.rate.take(`${app}/${sender.user}`);
  requireRoutable(app, sender.user, recipient);
  const isGroup = message.channelType === "group" || looksLikeGroupId(recipient);
  if (!isGroup && !isId(recipient))
    throw new ChatError("invalid_id", "the recipient's id is too long for a user's");
  const conversation = conversationIdOf(sender.user, recipient, isGroup);
  const { clientMessageId } = message;
  const repeatKey = clientMessageId === null ? null : `${app}/${sender.user}/${clientMessageId}`;
  const { events, repeated } = await context.writer
    .write(app, conversation, sendMessage(sender, message), repeatKey, arrivalOf(inbound, sender, message))
    .catch((refusal: ChatError) => earlierSend(context, app, sender.user, clientMessageId, refusal));
  const event = events[0];
  if (event === undefined) throw new ChatError("internal", "a send made no event");
  if (repeated) {
    context.metrics.count("repeats");
    // One that was erased since has no body left to compare with, and nothing to be delivered again.
    if (event.type !== "message" || event.conversation !== conversation || event.body !== message.body) {
      throw new ChatError("idempotency_conflict", "client_message_id was used for another message");
    }
    context.dispatcher.repeat(event);
  }
  return { event, repeated };
}

function arrivalOf(
  inbound: Pick<Inbound, "isCurrent" | "redelivered"> | undefined,
  { user }: Sender,
  { body, clientMessageId, tempUid }: DecodedMessage,
): Arrival | undefined {
  if (inbound?.isCurrent === undefined) return undefined;
  const again =
    inbound.redelivered === true && clientMessageId === null ? { sender: user, body, tempUid } : null;
  return { isCurrent: inbound.isCurrent, again };
}

/** What was stored under the id before it was refused: whoever lost the right to send still learns that it was sent. */
async function earlierSend(
  { store }: OperationsContext,
  app: string,
  sender: string,
  clientMessageId: string | null,
  refusal: ChatError,
): Promise<{ readonly events: readonly EventRecord[]; readonly repeated: boolean }> {
  if (clientMessageId === null || refusal.retryable) throw refusal;
  const event = await store.events.findByClientMessageId(app, sender, clientMessageId);
  if (event === null) throw refusal;
  return { events: [event], repeated: true };
}

/** Sending and reading messages. */
export function messageOperations(context: OperationsContext): MessageOperations {
  const { store } = context;
  return {
    async send(actor, request): Promise<SentMessage> {
      const user = request.sender ?? actor.user;
      if (user !== actor.user) requireAdmin(actor);
      if (!isId(user)) throw new ChatError("invalid_id", "the sender's id has a form that is not allowed");
      requireConversWith(request.recipient);
      const message = decodeMessage(request.body);
      const sender = { user, admin: actor.admin };
      const { event, repeated } = await sendDecoded(context, actor.app, sender, request.recipient, message);
      const isGroup = event.conversation === request.recipient;
      return {
        messageId: event.messageId,
        seq: event.seq,
        epoch: store.epoch,
        timestamp: event.timestamp,
        repeated,
        message: messageJson(event, store.epoch, isGroup ? messageStatus.delivered : messageStatus.sent),
      };
    },

    async list(actor, user, conversWith, page) {
      requireSelf(actor, user);
      const conversation = await resolveConversation(context, actor.app, user, conversWith);
      const view = await store.conversations.view(actor.app, conversation, user);
      if (view === null) return [];
      const events = await store.events.read({
        app: actor.app,
        conversation,
        ...(page.after === undefined ? {} : { after: page.after }),
        ...(page.before === undefined ? {} : { before: page.before }),
        limit: pageLimit(page),
        from: page.after !== undefined && page.before === undefined ? "oldest" : "newest",
        types: ["message"],
        visibleTo: user,
      });
      const watermarks = { own: view.state, counterpart: view.counterpart };
      return events
        .map((event) => storedMessageJson(event, store.epoch, user, conversWith, watermarks))
        .reverse();
    },

    async erase(actor, conversWith) {
      requireAdmin(actor);
      if (!isGroupId(conversWith)) throw new ChatError("invalid_id");
      if (looksLikeGroupId(conversWith))
        return store.events.erase({ app: actor.app, conversation: conversWith });
      let erased = await store.events.erase({ app: actor.app, conversation: conversWith });
      for await (const peer of everyPeer(store.conversations, actor.app, conversWith)) {
        const conversation = directConversationId(conversWith, peer);
        erased += await store.events.erase({ app: actor.app, conversation });
      }
      return erased;
    },
  };
}
