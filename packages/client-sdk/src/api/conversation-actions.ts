import type { HistoryResponse } from "@chat21/protocol";
import { ChatError, clientTopics, toWireConversWith } from "@chat21/protocol";
import type { RestClient } from "../connection/rest.ts";
import type { Uplink } from "../connection/uplink.ts";
import { wireIdOf } from "../connection/wire-id.ts";
import type { ModelStore } from "../conversation/model-store.ts";
import { projectEvent } from "../conversation/project-message.ts";
import type { Typing } from "../conversation/typing.ts";
import type { Sender } from "../outbox/sender.ts";
import type { WatermarkQueue } from "../outbox/watermark-queue.ts";
import { topRange } from "../sync/log-order.ts";
import type { Synchronizer } from "../sync/synchronizer.ts";
import type { HistoryPage, HistoryQuery } from "./conversation.ts";
import type { ChatMessage, MessageDraft, SendOptions, SentMessage } from "./message.ts";

/** The parts that the actions use. */
export interface ConversationActionsOptions {
  readonly app: string;
  readonly user: string;
  readonly rest: RestClient;
  readonly uplink: Uplink;
  readonly store: ModelStore;
  readonly synchronizer: Synchronizer;
  readonly sender: Sender;
  readonly watermarks: WatermarkQueue;
  readonly typing: Typing;
}

const defaultPage = 50;

/** The actions of a conversation. */
export class ConversationActions {
  readonly #options: ConversationActionsOptions;

  constructor(options: ConversationActionsOptions) {
    this.#options = options;
  }

  send(conversWith: string, draft: MessageDraft, options: SendOptions | undefined): Promise<SentMessage> {
    return this.#options.sender.send(conversWith, draft, options);
  }

  async loadOlder(conversWith: string, limit = defaultPage): Promise<readonly ChatMessage[]> {
    const { store, synchronizer } = this.#options;
    const model = store.model(conversWith);
    if (model.position === 0) {
      synchronizer.adopt(conversWith, await this.#read(conversWith, { limit }));
      return [...model.held];
    }
    for (;;) {
      const { floor, amendments } = model;
      if (floor === 1) return [];
      const answer = await this.#read(conversWith, { limit, before: floor });
      // The conversation was begun anew meanwhile: the answer does not fit to the held messages.
      if (model.floor !== floor || answer.epoch !== synchronizer.epoch) return [];
      // Messages that were changed meanwhile may be in the answer as they were before.
      if (model.amendments !== amendments) continue;
      const from = Math.min(topRange(answer)?.[0] ?? 1, floor);
      const stretch = { conversWith, from, to: floor - 1, events: answer.events };
      const before = model.held.length;
      store.dispatch({ type: "extended", asked: true, ...stretch });
      return model.held.slice(0, model.held.length - before);
    }
  }

  async history(conversWith: string, query: HistoryQuery = {}): Promise<HistoryPage> {
    const answer = await this.#read(conversWith, query);
    const { viewpoint } = this.#options.store.model(conversWith);
    const from = topRange(answer)?.[0] ?? 1;
    return {
      messages: answer.events.flatMap((event) => projectEvent(event, viewpoint) ?? []),
      before: from > 1 ? from : null,
    };
  }

  markRead(conversWith: string, seq: number | undefined): void {
    const { store, watermarks } = this.#options;
    const model = store.model(conversWith);
    const target = Math.min(seq ?? model.position, model.position);
    if (target <= model.own.read && !model.markedUnread) return;
    const { markedUnread } = model;
    store.dispatch({ type: "read", conversWith, seq: target });
    watermarks.add({ conversWith, read: model.own.read, markedUnread });
  }

  async markUnread(conversWith: string): Promise<void> {
    const { app, user, store, uplink, watermarks } = this.#options;
    const wireId = toWireConversWith(conversWith);
    if (wireId === null) throw new ChatError("invalid_id");
    // A read mark that came after it would take the flag away.
    await watermarks.hurry();
    await uplink.deliver(clientTopics.conversationUpdate(app, wireIdOf(user), wireId), { is_new: true });
    store.dispatch({ type: "flagged", conversWith, markedUnread: true });
  }

  erase(conversWith: string, seq: number): Promise<void> {
    return this.#options.uplink.ask({ type: "erase", conversWith, seqs: [seq] });
  }

  async archive(conversWith: string, archived = true): Promise<void> {
    await this.#options.rest.archive(conversWith, archived);
    this.#options.store.dispatch({ type: "flagged", conversWith, archived });
  }

  setTyping(conversWith: string, active: boolean): void {
    this.#options.typing.set(conversWith, active);
  }

  async #read(conversWith: string, query: HistoryQuery): Promise<HistoryResponse> {
    try {
      return await this.#options.rest.events(conversWith, { limit: defaultPage, ...query });
    } catch (thrown) {
      const error = ChatError.fromUnknown(thrown);
      if (error.code !== "not_found") throw error;
      // The conversation has no messages yet.
      return { epoch: this.#options.synchronizer.epoch ?? "", head: 0, covered: [], events: [] };
    }
  }
}
