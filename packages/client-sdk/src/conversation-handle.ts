import type { Conversation, ConversationSummary, HistoryPage, HistoryQuery } from "./conversation.ts";
import type { ConversationModel } from "./conversation-model.ts";
import { Notifier } from "./emitter.ts";
import type { ChatMessage, MessageDraft, SendOptions, SentMessage } from "./message.ts";
import type { Unsubscribe } from "./unsubscribe.ts";

/** What a conversation can be asked to do. */
export interface ConversationActions {
  send(conversWith: string, draft: MessageDraft, options: SendOptions | undefined): Promise<SentMessage>;
  loadOlder(conversWith: string, limit: number | undefined): Promise<readonly ChatMessage[]>;
  history(conversWith: string, query: HistoryQuery | undefined): Promise<HistoryPage>;
  markRead(conversWith: string, seq: number | undefined): void;
  markUnread(conversWith: string): Promise<void>;
  archive(conversWith: string): Promise<void>;
  setTyping(conversWith: string, typing: boolean): void;
}

/** What a handle shows beside its model. */
export interface HandleContext {
  readonly conversWith: string;
  readonly model: ConversationModel;
  readonly actions: ConversationActions;
  floor(): number;
  pending(): readonly ChatMessage[];
  typing(): readonly string[];
  report(thrown: unknown): void;
}

/** One conversation as an app holds it: views of the model that stay the same object until something changes. */
export class ConversationHandle implements Conversation {
  readonly #context: HandleContext;
  readonly #notifier: Notifier;
  #summary: ConversationSummary | undefined;
  #summaryIsNew = true;
  #messages: readonly ChatMessage[] | undefined;
  #typing: readonly string[] | undefined;
  #loading: Promise<readonly ChatMessage[]> | undefined;

  constructor(context: HandleContext) {
    this.#context = context;
    this.#notifier = new Notifier(context.report);
  }

  get conversWith(): string {
    return this.#context.conversWith;
  }

  get model(): ConversationModel {
    return this.#context.model;
  }

  get summary(): ConversationSummary {
    if (this.#summary === undefined || this.#summaryIsNew) {
      const summary = this.#context.model.summary;
      if (this.#summary === undefined || !isSame(this.#summary, summary)) this.#summary = summary;
      this.#summaryIsNew = false;
    }
    return this.#summary;
  }

  get messages(): readonly ChatMessage[] {
    this.#messages ??= [...this.#context.model.held, ...this.#context.pending()];
    return this.#messages;
  }

  get hasOlder(): boolean {
    return this.#context.floor() > 1;
  }

  get typing(): readonly string[] {
    this.#typing ??= this.#context.typing();
    return this.#typing;
  }

  /** Something of it changed. */
  touch(): void {
    this.#summaryIsNew = true;
    this.#messages = undefined;
    this.#typing = undefined;
    this.#notifier.notify();
  }

  readonly subscribe = (listener: () => void): Unsubscribe => this.#notifier.subscribe(listener);

  send(draft: MessageDraft, options?: SendOptions): Promise<SentMessage> {
    return this.#context.actions.send(this.conversWith, draft, options);
  }

  loadOlder(limit?: number): Promise<readonly ChatMessage[]> {
    this.#loading ??= this.#context.actions.loadOlder(this.conversWith, limit).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
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

  archive(): Promise<void> {
    return this.#context.actions.archive(this.conversWith);
  }

  setTyping(typing: boolean): void {
    this.#context.actions.setTyping(this.conversWith, typing);
  }
}

function isSame(a: ConversationSummary, b: ConversationSummary): boolean {
  return (Object.keys(b) as (keyof ConversationSummary)[]).every((key) => a[key] === b[key]);
}
