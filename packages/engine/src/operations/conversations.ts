import {
  ChatError,
  conversWithOf,
  directConversationId,
  directMembers,
  limits,
  looksLikeGroupId,
  messageStatus,
  topics,
} from "@chat21/protocol";
import { exitNotice } from "../archive-exit.ts";
import type { ConversationOperations } from "../engine.ts";
import type { OperationsContext } from "../operations-context.ts";
import {
  deliver,
  handOver,
  requireAdmin,
  requireConversWith,
  requireSelf,
  resolveConversation,
} from "../operations-context.ts";
import type { Delivery } from "../ports/edge.ts";
import type { MemberState } from "../ports/records.ts";
import { conversationJson, conversationStateJson } from "../project-conversation.ts";
import { isArchived, isOnList, visibleHead } from "../view/view.ts";
import { everyPeer } from "./every-peer.ts";
import { listConversations } from "./list-conversations.ts";

/** Messages that one move of a watermark confirms one by one to an old client. */
const receiptsPerMove = 100;

/** Archives and tells the user's devices: S4, then S5 (Q5). */
export async function archiveConversation(
  context: OperationsContext,
  app: string,
  user: string,
  conversWith: string,
): Promise<void> {
  const { store, states, clock } = context;
  context.requireService(app);
  const conversation = await resolveConversation(context, app, user, conversWith);
  const { head, members } = await states.read(app, conversation);
  const archivedAt = visibleHead(members.get(user)?.intervals ?? [], head);
  const [state] = await store.conversations.patch([{ app, conversation, user, archivedAt }]);
  if (state === undefined || state === null) return;
  await states.load([{ app, conversation }]);
  states.get(app, conversation)?.archivedBy.add(user);
  context.invalidations.send({ app, conversation });
  const view = await store.conversations.view(app, conversation, user);
  const document = view === null ? null : conversationJson(view, store.epoch, user);
  if (document === null) return;
  await deliver(context, [
    { app, user, topic: topics.conversationDeleted(app, user, conversWith), payload: document, qos: 1 },
    { app, user, topic: topics.archivedConversationAdded(app, user, conversWith), payload: document, qos: 1 },
  ]);
  await handOver(context, [
    { kind: "archived", app, conversation, user, conversWith, document, at: clock.now() },
  ]);
}

/**
 * Takes a conversation out of the archive and tells the user's devices, as a newer message does. No effect on one that
 * is not archived.
 */
async function unarchiveConversation(
  context: OperationsContext,
  app: string,
  user: string,
  conversWith: string,
): Promise<void> {
  const { store, states, clock } = context;
  context.requireService(app);
  const conversation = await resolveConversation(context, app, user, conversWith);
  const view = await store.conversations.view(app, conversation, user);
  if (view === null || !isArchived(view)) return;
  await store.conversations.patch([{ app, conversation, user, archivedAt: null }]);
  states.get(app, conversation)?.archivedBy.delete(user);
  context.invalidations.send({ app, conversation });
  const { delivery, fact } = exitNotice({ app, conversation, user, conversWith, at: clock.now() });
  await deliver(context, [delivery]);
  await handOver(context, [fact]);
}

/** P3: read up to the head, or marked unread; the user's devices hear of it as S3. */
export async function setIsNew(
  context: OperationsContext,
  app: string,
  user: string,
  conversWith: string,
  isNew: boolean,
): Promise<void> {
  if (isNew) {
    const conversation = await resolveConversation(context, app, user, conversWith);
    await context.store.conversations.patch([{ app, conversation, user, markedUnread: true }]);
  } else await moveWatermarks(context, app, user, { conversWith, read: Number.MAX_SAFE_INTEGER });
  if (isNew) await deliver(context, [isNewPatch(app, user, conversWith, true)]);
}

function isNewPatch(app: string, user: string, conversWith: string, isNew: boolean): Delivery {
  const payload = `{"is_new":${isNew},"timelineOf":"${user}","conversWith":"${conversWith}"}`;
  return { app, user, topic: topics.conversationUpdated(app, user, conversWith), payload, qos: 1 };
}

/** How far to move watermarks. */
export interface WatermarkMove {
  readonly conversWith: string;
  readonly delivered?: number;
  readonly read?: number;
  /** `false`: the reader saw no flag "unread". Only a `read` that moves forward takes one away. @default true */
  readonly markedUnread?: boolean;
}

/**
 * Moves watermarks forward and tells both sides; never past what the user may see, so that they do not tell a former member
 * how far the group has come. Throws `not_member`.
 */
export async function moveWatermarks(
  context: OperationsContext,
  app: string,
  user: string,
  move: WatermarkMove,
): Promise<MemberState> {
  const { store } = context;
  context.requireService(app);
  const { conversWith } = move;
  const conversation = await resolveConversation(context, app, user, conversWith);
  const before = await store.conversations.view(app, conversation, user);
  if (before === null) throw new ChatError("not_member");
  // Perhaps the repeat of a mark whose answer was lost: it is older than a flag that stands now.
  const isRepeat = move.markedUnread === false && (move.read ?? 0) <= before.state.read;
  const read = isRepeat ? undefined : move.read;
  const delivered = Math.min(before.head, Math.max(move.delivered ?? 0, move.read ?? 0));
  const [state] = await store.conversations.patch([
    {
      app,
      conversation,
      user,
      delivered,
      ...(read === undefined ? {} : { read: Math.min(before.head, read), markedUnread: false }),
    },
  ]);
  if (state === undefined || state === null) throw new ChatError("not_member");
  const deliveries: Delivery[] = read === undefined ? [] : [isNewPatch(app, user, conversWith, false)];
  deliveries.push(...watermarkNotices(app, conversation, user, state));
  deliveries.push(
    ...(await oldReceipts(context, app, conversation, user, before.state.delivered, state.delivered)),
  );
  await deliver(context, deliveries);
  return state;
}

/** Ephemeral notices of a user's watermarks: to its own devices, and to the counterpart of a direct conversation. */
export function watermarkNotices(
  app: string,
  conversation: string,
  user: string,
  state: MemberState,
): Delivery[] {
  const pair = directMembers(conversation);
  const readers = pair === null ? [user] : [...new Set(pair)];
  return readers.map((reader) => {
    const conversWith = conversWithOf(conversation, reader);
    const payload =
      `{"type":"receipt","conversWith":"${conversWith}","user":"${user}",` +
      `"delivered":${state.delivered},"read":${state.read}}`;
    return { app, user: reader, topic: topics.ephemeral(app, reader), payload, qos: 0 as const };
  });
}

/** S2 for each of the counterpart's messages that the watermark has just passed. Clients without watermarks need it. */
async function oldReceipts(
  { store, edge }: OperationsContext,
  app: string,
  conversation: string,
  user: string,
  after: number,
  upTo: number,
): Promise<Delivery[]> {
  const other = conversWithOf(conversation, user);
  if (directMembers(conversation) === null || other === user || upTo <= after || !edge.reaches(app, other))
    return [];
  const passed = await store.events.read({
    app,
    conversation,
    after,
    before: upTo + 1,
    limit: receiptsPerMove,
    from: "newest",
    types: ["message"],
    visibleTo: user,
  });
  return passed
    .filter(({ sender }) => sender === other)
    .map(({ messageId }) => receipt(app, user, other, messageId));
}

/** S2: `other` learns that `user` has its message. */
export function receipt(app: string, user: string, other: string, messageId: string): Delivery {
  const payload = `{"timelineOf":"${other}","message_id":"${messageId}","status":${messageStatus.returnReceipt}}`;
  return { app, user: other, topic: topics.messageUpdated(app, other, user, messageId), payload, qos: 1 };
}

/** Conversation lists. */
export function conversationOperations(context: OperationsContext): ConversationOperations {
  const { store } = context;
  return {
    list: (actor, user, archived, page) =>
      listConversations(context, actor, user, { archived, page }, (view) =>
        conversationJson(view, store.epoch, user, limits.listTextCharacters),
      ),

    states: (actor, user, archived, page) =>
      listConversations(context, actor, user, { archived, page }, (view) =>
        conversationStateJson(view, store.epoch, user),
      ),

    async get(actor, user, conversWith, archived) {
      requireSelf(actor, user);
      const conversation = await resolveConversation(context, actor.app, user, conversWith);
      const view = await store.conversations.view(actor.app, conversation, user);
      if (view === null || !isOnList(view) || isArchived(view) !== archived) return null;
      return conversationJson(view, store.epoch, user);
    },

    async archive(actor, user, conversWith) {
      requireSelf(actor, user);
      await archiveConversation(context, actor.app, user, conversWith);
    },

    async unarchive(actor, user, conversWith) {
      requireSelf(actor, user);
      await unarchiveConversation(context, actor.app, user, conversWith);
    },

    async moveWatermarks(actor, user, move) {
      requireSelf(actor, user);
      const { delivered, read } = await moveWatermarks(context, actor.app, user, move);
      return { delivered, read };
    },

    async clear(actor, conversWith) {
      requireAdmin(actor);
      requireConversWith(conversWith);
      const { app } = actor;
      if (looksLikeGroupId(conversWith)) return clearLists(context, app, conversWith, null);
      let cleared = await clearLists(context, app, conversWith, null);
      for await (const peer of everyPeer(store.conversations, app, conversWith)) {
        cleared += await clearLists(context, app, directConversationId(conversWith, peer), peer);
      }
      return cleared;
    },
  };
}

/** Takes a conversation off the lists of one user, or of all members (`null`). */
async function clearLists(
  { store }: OperationsContext,
  app: string,
  conversation: string,
  only: string | null,
): Promise<number> {
  const [record] = await store.conversations.load([{ app, conversation }]);
  if (record === undefined || record === null) return 0;
  const members = record.members.filter(({ user }) => only === null || user === only);
  const patches = members.map(({ user, intervals }) => ({
    ...{ app, conversation, user, clearedAt: visibleHead(intervals, record.head) },
  }));
  await store.conversations.patch(patches);
  return patches.length;
}
