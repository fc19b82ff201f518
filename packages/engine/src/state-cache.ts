import { ConversationState } from "./conversation-state.ts";
import type { ConversationStore } from "./ports/store.ts";

/** Names a conversation. */
export interface ConversationKey {
  readonly app: string;
  readonly conversation: string;
}

/**
 * The conversations that were written to lately, bounded. What it holds is valid as of the head it knows: inserting
 * at head + 1 proves it, and whoever finds it stale forgets it.
 */
export class StateCache {
  readonly #store: ConversationStore;
  readonly #maxConversations: number;
  readonly #states = new Map<string, ConversationState>();

  constructor(store: ConversationStore, maxConversations: number) {
    this.#store = store;
    this.#maxConversations = maxConversations;
  }

  /** The state held for a key; the caller may rely on it after {@link load} without anything awaited in between. */
  get(app: string, conversation: string): ConversationState | undefined {
    return this.#states.get(keyOf(app, conversation));
  }

  /** Makes sure that every key is held. */
  async load(keys: Iterable<ConversationKey>): Promise<void> {
    const missing = new Map<string, ConversationKey>();
    for (const key of keys) {
      const id = keyOf(key.app, key.conversation);
      if (!this.#states.has(id)) missing.set(id, { app: key.app, conversation: key.conversation });
    }
    if (missing.size === 0) return;
    const wanted = [...missing.values()];
    const records = await this.#store.load(wanted);
    wanted.forEach(({ app, conversation }, i) => {
      const record = records[i] ?? null;
      const id = keyOf(app, conversation);
      // Somebody else may have loaded, and advanced, it meanwhile.
      if (this.#states.has(id)) return;
      this.#states.set(
        id,
        record === null ? ConversationState.fresh(app, conversation) : new ConversationState(record),
      );
    });
    // What was just loaded is the newest and stays; dropping a state in use elsewhere only costs a stale commit.
    this.#trim(this.#maxConversations + wanted.length);
  }

  /** Drops a state that turned out to be stale. */
  forget(app: string, conversation: string): void {
    this.#states.delete(keyOf(app, conversation));
  }

  #trim(maxConversations: number): void {
    for (const id of this.#states.keys()) {
      if (this.#states.size <= maxConversations) return;
      this.#states.delete(id);
    }
  }
}

function keyOf(app: string, conversation: string): string {
  return `${app}/${conversation}`;
}
