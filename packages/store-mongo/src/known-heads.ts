import type { ConversationKind } from "@chat21/engine";
import type { ConversationKey } from "./documents.ts";
import { conversationName } from "./key-names.ts";

/** A conversation's facts as of one number. */
export interface KnownHead {
  readonly head: number;
  readonly kind: ConversationKind;
  readonly transient: boolean;
}

/** How many conversations are remembered; each takes about 200 bytes. */
const capacity = 50_000;

/**
 * The state of conversations that this process saw last. Facts change with events only. Therefore, when an insert right
 * behind `head` succeeds, the facts were still true, whichever other processes write.
 */
export class KnownHeads {
  readonly #heads = new Map<string, KnownHead>();

  get(key: ConversationKey): KnownHead | undefined {
    return this.#heads.get(conversationName(key));
  }

  set(key: ConversationKey, known: KnownHead): void {
    const name = conversationName(key);
    this.#heads.delete(name);
    this.#heads.set(name, known);
    if (this.#heads.size <= capacity) return;
    const [oldest = ""] = this.#heads.keys();
    this.#heads.delete(oldest);
  }

  forget(key: ConversationKey): void {
    this.#heads.delete(conversationName(key));
  }
}
