import type { ConversationModel } from "../conversation/conversation-model.ts";
import type { Conversation, ConversationSummary, HistoryPage, HistoryQuery } from "./conversation.ts";
import type { ConversationActions } from "./conversation-actions.ts";
import type { Unsubscribe } from "./emitter.ts";
import { Notifier } from "./emitter.ts";
import type { ChatMessage, MessageDraft, SendOptions, SentMessage } from "./message.ts";

/** The parts that a handle uses. */
export interface HandleContext {
  readonly conversWith: string;
  readonly model: ConversationModel;
  readonly actions: ConversationActions;
  report(thrown: unknown): void;
}

/** A conversation in the app's hands: views of the model that stay the same object until something changes. */
export class ConversationHandle implements Conversation {
  readonly #context: HandleContext;
  readonly #notifier: Notifier;
  #messages: readonly ChatMessage[] | undefined;
  #loading: Promise<readonly ChatMessage[]> | undefined;
  /** The app has read the messages: it shows more than a row of a list. */
  #isShown = false;

  constructor(context: HandleContext) {
    this.#context = context;
    this.#notifier = new Notifier(context.report);
  }

  get conversWith(): string {
    return this.#context.conversWith;
  }

  get summary(): ConversationSummary {
    return this.#context.model.summary;
  }

  get messages(): readonly ChatMessage[] {
    const { held, pending } = this.#context.model;
    if (!this.#isShown) {
      this.#isShown = true;
      this.#watch();
      this.fill();
    }
    this.#messages ??= [...held, ...pending.values()];
    return this.#messages;
  }

  get hasOlder(): boolean {
    return this.#context.model.floor > 1;
  }

  get typing(): readonly string[] {
    return this.#context.model.typing;
  }

  /** Tells that the conversation has changed. */
  touch(): void {
    this.#messages = undefined;
    this.#notifier.notify();
  }

  readonly subscribe = (listener: () => void): Unsubscribe => {
    const stop = this.#notifier.subscribe(listener);
    this.#watch();
    return () => {
      stop();
      this.#watch();
    };
  };

  send(draft: MessageDraft, options?: SendOptions): Promise<SentMessage> {
    return this.#context.actions.send(this.conversWith, draft, options);
  }

  loadOlder(limit?: number): Promise<readonly ChatMessage[]> {
    this.#loading ??= this.#context.actions.loadOlder(this.conversWith, limit).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /**
   * Loads the newest page when the app shows messages and none is held, as after a restart. A failure is no matter: it is
   * done again when online.
   */
  fill(): void {
    if (this.#isShown && this.hasOlder && this.#context.model.held.length === 0)
      this.loadOlder().catch(() => undefined);
  }

  history(query?: HistoryQuery): Promise<HistoryPage> {
    return this.#context.actions.history(this.conversWith, query);
  }

  markRead(seq?: number): void {
    this.#context.actions.markRead(this.conversWith, seq);
  }

  markUnread(): Promise<void> {
    return this.#context.actions.markUnread(this.conversWith);
  }

  erase(seq: number): Promise<void> {
    return this.#context.actions.erase(this.conversWith, seq);
  }

  archive(): Promise<void> {
    return this.#context.actions.archive(this.conversWith);
  }

  setTyping(typing: boolean): void {
    this.#context.actions.setTyping(this.conversWith, typing);
  }

  #watch(): void {
    this.#context.model.isWatched = this.#isShown && this.#notifier.isHeard;
  }
}
