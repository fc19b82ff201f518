import type { ConversationModel } from "../conversation/conversation-model.ts";
import type { ModelStore } from "../conversation/model-store.ts";
import { compareSummaries } from "../conversation/view.ts";
import type { ConversationSummary, Conversations } from "./conversation.ts";
import type { ConversationActions } from "./conversation-actions.ts";
import { ConversationHandle } from "./conversation-handle.ts";
import type { Emitter, Unsubscribe } from "./emitter.ts";
import { Notifier } from "./emitter.ts";
import type { ChatEvents } from "./events.ts";

/** The parts that conversation lists use. */
export interface ConversationListOptions {
  readonly user: string;
  readonly store: ModelStore;
  readonly actions: ConversationActions;
  readonly emitter: Emitter<ChatEvents>;
  report(thrown: unknown): void;
}

interface Lists {
  readonly active: readonly ConversationSummary[];
  readonly archived: readonly ConversationSummary[];
}

/** The lists and the handles that an app holds. Many changes in one turn are told once. */
export class ConversationList implements Conversations {
  readonly #options: ConversationListOptions;
  readonly #handles = new Map<string, ConversationHandle>();
  readonly #notifier: Notifier;
  readonly #changed = new Set<string>();
  /** Summaries as the last `conversation` events told them. */
  readonly #announced = new Map<string, ConversationSummary>();
  #lists: Lists | undefined;

  constructor(options: ConversationListOptions) {
    this.#options = options;
    this.#notifier = new Notifier(options.report);
    options.store.on("changed", ({ conversWith }) => this.#change(conversWith));
  }

  handle(conversWith: string): ConversationHandle {
    const existing = this.#handles.get(conversWith);
    if (existing !== undefined) return existing;
    const { actions, report } = this.#options;
    const handle = new ConversationHandle({
      conversWith,
      actions,
      report,
      model: this.#options.store.model(conversWith),
    });
    this.#handles.set(conversWith, handle);
    return handle;
  }

  /** Fills what the app shows; called when the client comes online. */
  fill(): void {
    for (const handle of this.#handles.values()) handle.fill();
  }

  list({ archived = false }: { readonly archived?: boolean } = {}): readonly ConversationSummary[] {
    this.#lists ??= this.#makeLists();
    return archived ? this.#lists.archived : this.#lists.active;
  }

  get(conversWith: string): ConversationSummary | undefined {
    return listedSummary(this.#options.store.model(conversWith));
  }

  get unread(): number {
    return this.list().reduce((sum, { unread }) => sum + unread, 0);
  }

  readonly subscribe = (listener: () => void): Unsubscribe => this.#notifier.subscribe(listener);

  archive(conversWith: string): Promise<void> {
    return this.#options.actions.archive(conversWith);
  }

  unarchive(conversWith: string): Promise<void> {
    return this.#options.actions.archive(conversWith, false);
  }

  markRead(conversWith: string, seq?: number): void {
    this.#options.actions.markRead(conversWith, seq);
  }

  markUnread(conversWith: string): Promise<void> {
    return this.#options.actions.markUnread(conversWith);
  }

  #makeLists(): Lists {
    const { store, user } = this.#options;
    const summaries = [...store.models].flatMap((model) => listedSummary(model) ?? []);
    summaries.sort(compareSummaries(user));
    return {
      active: summaries.filter((summary) => !summary.archived),
      archived: summaries.filter((summary) => summary.archived),
    };
  }

  #change(conversWith: string): void {
    if (this.#changed.size === 0) queueMicrotask(() => this.#announce());
    this.#changed.add(conversWith);
    this.#lists = undefined;
    this.#handles.get(conversWith)?.touch();
  }

  #announce(): void {
    const { emitter, store } = this.#options;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#notifier.notify();
    for (const conversWith of changed) {
      const conversation = listedSummary(store.model(conversWith));
      const before = this.#announced.get(conversWith);
      if (conversation === before) continue;
      if (conversation !== undefined) {
        this.#announced.set(conversWith, conversation);
        emitter.emit("conversation", { conversation });
      } else {
        this.#announced.delete(conversWith);
        emitter.emit("conversationRemoved", { conversWith });
      }
    }
  }
}

function listedSummary({ summary }: ConversationModel): ConversationSummary | undefined {
  return summary.lastMessage === null ? undefined : summary;
}
