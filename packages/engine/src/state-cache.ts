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
  /** What all conversations take of the memory, about. */
  readonly maxBytes: number;
  /** Other processes write to the same store: readers are shown the stored state, not this process's memory. */
  readonly isShared: boolean;
}

/** A state, and its bytes as they are counted. */
interface Held {
  readonly state: WorkingConversation;
  bytes: number;
}

/**
 * Conversations of one read: how large they are is only known afterwards, and the largest groups have some 5 MiB each.
 */
const conversationsPerRead = 32;

/**
 * The conversations that were written to lately, up to a number and to a size. A state is valid as of the head it knows: an insert at
 * head + 1 proves it. A caller that finds a state stale forgets it.
 */
export class StateCache {
  readonly #store: ConversationStore;
  readonly #maxConversations: number;
  readonly #maxBytes: number;
  readonly #isShared: boolean;
  readonly #states = new Map<string, Held>();
  #bytes = 0;

  constructor({ conversations, maxConversations, maxBytes, isShared }: StateCacheOptions) {
    this.#store = conversations;
    this.#maxConversations = maxConversations;
    this.#maxBytes = maxBytes;
    this.#isShared = isShared;
  }

  /**
   * The state held for a key. What {@link load} has held stays held as long as nothing is awaited in between.
   */
  get(app: string, conversation: string): WorkingConversation | undefined {
    return this.#states.get(keyOf(app, conversation))?.state;
  }

  /**
   * Reads what is not held. Of conversations that together are larger than the bound only the first are held afterwards, at
   * least one of those that were read: the caller comes again for the others.
   */
  async load(keys: Iterable<ConversationKey>): Promise<void> {
    const missing = new Map<string, ConversationKey>();
    for (const key of keys) {
      const id = keyOf(key.app, key.conversation);
      const held = this.#states.get(id);
      if (held === undefined) missing.set(id, { app: key.app, conversation: key.conversation });
      else this.#weigh(held);
    }
    if (missing.size === 0) {
      if (this.#bytes > this.#maxBytes) this.#trim(0);
      return;
    }
    const wanted = [...missing.values()];
    let loadedBytes = 0;
    for (let at = 0; at < wanted.length && loadedBytes < this.#maxBytes; at += conversationsPerRead) {
      const keys = wanted.slice(at, at + conversationsPerRead);
      const records = await this.#store.load(keys);
      keys.forEach((key, i) => {
        const id = keyOf(key.app, key.conversation);
        // Another caller may have loaded, and advanced, it meanwhile.
        const held = this.#states.get(id) ?? { state: stateOf(key, records[i] ?? null), bytes: 0 };
        this.#states.set(id, held);
        this.#weigh(held);
        loadedBytes += held.bytes;
      });
      // The states that were just loaded are the newest and stay. If a dropped state is in use elsewhere, this only costs
      // a stale commit.
      this.#trim(at + keys.length);
    }
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
    this.#drop(keyOf(app, conversation));
  }

  /** Counts what the state has grown by since it was weighed. */
  #weigh(held: Held): void {
    const { bytes } = held.state;
    this.#bytes += bytes - held.bytes;
    held.bytes = bytes;
  }

  #drop(id: string): void {
    this.#bytes -= this.#states.get(id)?.bytes ?? 0;
    this.#states.delete(id);
  }

  /** Drops the oldest states until the rest fits, except for the newest `kept`. */
  #trim(kept: number): void {
    for (const id of this.#states.keys()) {
      const { size } = this.#states;
      const fits = size <= this.#maxConversations + kept && this.#bytes <= this.#maxBytes;
      if (fits || size <= kept) return;
      this.#drop(id);
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
