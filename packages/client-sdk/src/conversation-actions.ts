import type { ConversationEvent, HistoryResponse } from "@chat21/protocol";
import { ChatError, isGroupId, topics } from "@chat21/protocol";
import type { ClientParts } from "./client-parts.ts";
import type { HistoryPage, HistoryQuery } from "./conversation.ts";
import type { ConversationActions } from "./conversation-handle.ts";
import type { Link } from "./link.ts";
import type { ChatMessage } from "./message.ts";
import type { RestClient } from "./rest.ts";
import { topRange } from "./timeline.ts";

/** What the actions act on. */
export interface ConversationActionsOptions {
  readonly app: string;
  readonly user: string;
  readonly rest: RestClient;
  readonly parts: Pick<ClientParts, "conversations" | "marks" | "sender" | "synchronizer" | "typing">;
  readonly link: () => Link | undefined;
}

const defaultPage = 50;

/** What a conversation can be asked to do, bound to the parts that do it. */
export function conversationActions(options: ConversationActionsOptions): ConversationActions {
  const { app, user, rest, parts, link } = options;

  const read = async (conversWith: string, query: HistoryQuery): Promise<HistoryResponse> => {
    try {
      return await rest.events(conversWith, { limit: defaultPage, ...query });
    } catch (thrown) {
      const error = ChatError.fromUnknown(thrown);
      if (error.code !== "not_found") throw error;
      // Nobody has written there yet.
      return { epoch: parts.synchronizer.epoch ?? "", head: 0, covered: [], events: [] };
    }
  };

  return {
    send: (conversWith, draft, sendOptions) => parts.sender.send(conversWith, draft, sendOptions),

    async loadOlder(conversWith, limit = defaultPage) {
      const { synchronizer } = parts;
      const { model } = parts.conversations.handle(conversWith);
      const floor = synchronizer.timeline(conversWith)?.floor;
      if (floor === 1 && model.held.length > 0) return [];
      const answer = await read(
        conversWith,
        floor === undefined || floor === 1 ? { limit } : { limit, before: floor },
      );
      if (floor === undefined || floor === 1) {
        synchronizer.adopt(conversWith, answer);
        return model.held;
      }
      const timeline = synchronizer.timeline(conversWith);
      // Meanwhile begun anew: what was asked for does not fit to what is held now.
      if (timeline?.floor !== floor || answer.epoch !== synchronizer.epoch) return [];
      timeline.floor = Math.min(topRange(answer)?.[0] ?? 1, floor);
      return parts.conversations.prepend(conversWith, answer.events);
    },

    async history(conversWith, query = {}): Promise<HistoryPage> {
      const answer = await read(conversWith, query);
      const { model } = parts.conversations.handle(conversWith);
      const project = (event: ConversationEvent): ChatMessage[] => {
        const message = model.project({ ...event, conversWith });
        return message === null ? [] : [message];
      };
      const from = topRange(answer)?.[0] ?? 1;
      return { messages: answer.events.flatMap(project), before: from > 1 ? from : null };
    },

    markRead(conversWith, seq) {
      const { model } = parts.conversations.handle(conversWith);
      const { position } = parts.synchronizer.timeline(conversWith) ?? { position: 0 };
      const target = Math.min(seq ?? position, position);
      if (target <= model.own.read && !model.markedUnread) return;
      model.setFlags({ markedUnread: false });
      model.setOwn({ delivered: target, read: target });
      parts.conversations.touch(conversWith);
      parts.marks.add({ conversWith, read: model.own.read });
    },

    async markUnread(conversWith) {
      const current = link();
      if (!isGroupId(conversWith)) throw new ChatError("invalid_id");
      if (current === undefined) throw new ChatError("connection_lost");
      await current.deliver(topics.conversationUpdate(app, user, conversWith), { is_new: true });
      parts.conversations.handleMarkedUnread(conversWith, true);
    },

    async archive(conversWith) {
      await rest.archive(conversWith);
      parts.conversations.handleArchived(conversWith, true);
    },

    setTyping: (conversWith, active) => parts.typing.set(conversWith, active),
  };
}
