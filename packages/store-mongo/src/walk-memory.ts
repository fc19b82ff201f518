import type { AccountKey } from "./documents.ts";
import { accountName } from "./key-names.ts";
import type { Ticks } from "./logical-time.ts";
import type { Stamped } from "./memberships.ts";

/** Names of all walks; each takes about 150 bytes. */
const capacity = 100_000;

/** A walk of several pages through a user's changes. */
export interface WalkKey {
  readonly account: AccountKey;
  readonly since: Ticks;
  readonly upTo: Ticks;
}

const nameOf = ({ account, since, upTo }: WalkKey) => `${accountName(account)}\n${since}\n${upTo}`;

/**
 * The changes that a walk goes through. They are kept from one page to the next: otherwise each page would read all of them
 * again. A page that another process answers finds nothing here, and reads them.
 */
export class WalkMemory {
  readonly #walks = new Map<string, readonly Stamped[]>();
  #names = 0;

  get(key: WalkKey): readonly Stamped[] | undefined {
    return this.#walks.get(nameOf(key));
  }

  set(key: WalkKey, changes: readonly Stamped[]): void {
    this.delete(key);
    if (changes.length > capacity) return;
    this.#walks.set(nameOf(key), changes);
    this.#names += changes.length;
    for (const [name, { length }] of this.#walks) {
      if (this.#names <= capacity) return;
      this.#walks.delete(name);
      this.#names -= length;
    }
  }

  /** The walk has ended. */
  delete(key: WalkKey): void {
    const name = nameOf(key);
    this.#names -= this.#walks.get(name)?.length ?? 0;
    this.#walks.delete(name);
  }
}
