import { ChatError } from "@chat21/protocol";
import type { ConversationStore } from "./ports/conversation-store.ts";
import type { ConversationRecord } from "./ports/records.ts";
import { WorkingConversation } from "./working-conversation.ts";

/** Names a conversation. */
export interface ConversationKey {
  readonly app: string;
  readonly conversation: string;
}

/** Settings of a {@link StateCache}. */
export interface StateCacheOptions {
  readonly conversations: ConversationStore;
  readonly maxConversations: number;
  /** Other processes write to the same store: readers are shown the stored state, not this process's memory. */
  readonly isShared: boolean;
}

/**
 * The conversations that were written to lately, up to a bound. A state is valid as of the head it knows: an insert at
 * head + 1 proves it. A caller that finds a state stale forgets it.
 */
export class StateCache {
  readonly #store: ConversationStore;
  readonly #maxConversations: number;
  readonly #isShared: boolean;
  readonly #states = new Map<string, WorkingConversation>();

  constructor({ conversations, maxConversations, isShared }: StateCacheOptions) {
    this.#store = conversations;
    this.#maxConversations = maxConversations;
    this.#isShared = isShared;
  }

  /**
   * The state held for a key. The caller may rely on it after {@link load} as long as nothing is awaited in between.
   */
  get(app: string, conversation: string): WorkingConversation | undefined {
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
    wanted.forEach((key, i) => {
      const id = keyOf(key.app, key.conversation);
      // Another caller may have loaded, and advanced, it meanwhile.
      if (!this.#states.has(id)) this.#states.set(id, stateOf(key, records[i] ?? null));
    });
    // The states that were just loaded are the newest and stay. If a dropped state is in use elsewhere, this only costs
    // a stale commit.
    this.#trim(this.#maxConversations + wanted.length);
  }

  /** A conversation for reading only; no decision may rest on it. */
  async read(app: string, conversation: string): Promise<WorkingConversation> {
    const [state] = await this.readAll([{ app, conversation }]);
    if (state === undefined) throw new ChatError("internal", "a conversation was not loaded");
    return state;
  }

  /** Conversations for reading only, in the order of their keys. */
  async readAll(keys: readonly ConversationKey[]): Promise<readonly WorkingConversation[]> {
    if (!this.#isShared) {
      await this.load(keys);
      const held = keys.map(({ app, conversation }) => this.get(app, conversation));
      if (held.every((state) => state !== undefined)) return held;
    }
    const records = await this.#store.load(keys);
    return keys.map((key, i) => stateOf(key, records[i] ?? null));
  }

  /** Whether the conversation has an event. Once true, it stays true. */
  async hasBegun(app: string, conversation: string): Promise<boolean> {
    if ((this.get(app, conversation)?.head ?? 0) > 0) return true;
    return (await this.read(app, conversation)).head > 0;
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

function stateOf(
  { app, conversation }: ConversationKey,
  record: ConversationRecord | null,
): WorkingConversation {
  return record === null ? WorkingConversation.fresh(app, conversation) : new WorkingConversation(record);
}

function keyOf(app: string, conversation: string): string {
  return `${app}/${conversation}`;
}
