import { ChatError, isUserId, messageStatus } from "@chat21/protocol";
import { decodeMessage } from "../decode-message.ts";
import type { Actor, JsonItems, MessageOperations, Page, SentMessage } from "../engine.ts";
import type { OperationsContext } from "../operations-context.ts";
import {
  pageLimit,
  requireAdmin,
  requireConversWith,
  requireSelf,
  resolveConversation,
} from "../operations-context.ts";
import { sendDecoded } from "../pipeline.ts";
import { messageJson, storedMessageJson } from "../project-message.ts";
import { AnswerBudget, answerCharacters, isWhole } from "./answer-budget.ts";
import { eraseSender, eraseWith } from "./erasure.ts";
import { eraseNames } from "./names.ts";

/** Sending and reading messages. */
export function messageOperations(context: OperationsContext): MessageOperations {
  const { store } = context;
  return {
    async send(actor, request): Promise<SentMessage> {
      const user = request.sender ?? actor.user;
      if (user !== actor.user) requireAdmin(actor);
      if (!isUserId(user))
        throw new ChatError("invalid_id", "the sender's id has a form that is not allowed");
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

    list: (actor, user, conversWith, page) => listMessages(context, actor, user, conversWith, page),

    async erase(actor, conversWith) {
      requireAdmin(actor);
      context.requireService(actor.app);
      requireConversWith(conversWith);
      return eraseWith(context, actor.app, actor.user, conversWith);
    },

    async eraseSender(actor, sender) {
      requireAdmin(actor);
      context.requireService(actor.app);
      if (!isUserId(sender))
        throw new ChatError("invalid_id", "the sender's id has a form that is not allowed");
      return eraseSender(context, actor.app, actor.user, sender);
    },

    async eraseNames(actor, user) {
      requireAdmin(actor);
      context.requireService(actor.app);
      if (!isUserId(user)) throw new ChatError("invalid_id", "the user's id has a form that is not allowed");
      return eraseNames(context, actor.app, user);
    },
  };
}

/** Messages per read. */
const stepMessages = 100;

async function* listMessages(
  context: OperationsContext,
  actor: Actor,
  user: string,
  conversWith: string,
  page: Page,
): JsonItems {
  const { store } = context;
  requireSelf(actor, user);
  const conversation = await resolveConversation(context, actor.app, user, conversWith);
  const view = await store.conversations.view(actor.app, conversation, user);
  if (view === null) return null;
  const watermarks = { own: view.state, counterpart: view.counterpart };
  const budget = new AnswerBudget();
  // With `after` alone the answer is the first messages beyond it, still newest first: their end is found first.
  let { before } = page;
  let left = pageLimit(page);
  if (page.after !== undefined && before === undefined) {
    before = await endOfOldest(context, {
      app: actor.app,
      conversation,
      user,
      after: page.after,
      limit: left,
    });
  }
  while (left > 0) {
    const limit = Math.min(left, stepMessages);
    const characters = budget.left;
    const events = await store.events.read({
      app: actor.app,
      conversation,
      ...(page.after === undefined ? {} : { after: page.after }),
      ...(before === undefined ? {} : { before }),
      limit,
      characters,
      from: "newest",
      types: ["message"],
      visibleTo: user,
      withoutErased: true,
    });
    for (const event of events.toReversed()) {
      const text = storedMessageJson(event, store.epoch, user, conversWith, watermarks);
      if (!budget.take(text)) return null;
      yield text;
    }
    const first = events[0];
    if (first === undefined || isWhole(events, limit, characters)) return null;
    before = first.seq;
    left -= events.length;
  }
  return null;
}

/** The number behind the oldest `limit` messages beyond `after`. */
async function endOfOldest(
  { store }: OperationsContext,
  range: { app: string; conversation: string; user: string; after: number; limit: number },
): Promise<number> {
  const { app, conversation, user: visibleTo } = range;
  let { after, limit } = range;
  while (limit > 0) {
    const read = { app, conversation, after, limit: Math.min(limit, stepMessages), from: "oldest" } as const;
    const filters = { types: ["message"], visibleTo, withoutErased: true, characters: answerCharacters };
    const events = await store.events.read({ ...read, ...filters });
    const last = events.at(-1);
    if (last === undefined) break;
    after = last.seq;
    limit -= events.length;
  }
  return after + 1;
}
