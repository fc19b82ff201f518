import type { Told } from "./change-cursor.ts";
import type { AccountKey } from "./documents.ts";
import { accountName } from "./key-names.ts";
import type { Ticks } from "./logical-time.ts";
import type { Stamped } from "./stamps.ts";

/** Names of all walks; each takes about 150 bytes. */
const capacity = 100_000;

/** A walk of several pages through a user's changes. */
export interface WalkKey {
  readonly account: AccountKey;
  readonly since: Ticks;
  readonly upTo: Ticks;
  readonly id: number;
}

/** A walk between two of its pages. */
export interface RememberedWalk {
  /** The changes that it goes through. */
  readonly changes: readonly Stamped[];
  /** The told states of conversations that changed shortly before it began, by conversation. */
  readonly told: ReadonlyMap<string, Told>;
}

const nameOf = ({ account, since, upTo, id }: WalkKey) => `${accountName(account)}\n${since}\n${upTo}\n${id}`;

const namesOf = ({ changes, told }: RememberedWalk) => changes.length + told.size;

/**
 * Walks from one page to the next: otherwise each page would read all changes again, and tell again at the end what the
 * cursor has no room for. A page that another process answers finds nothing here, and reads them.
 */
export class WalkMemory {
  readonly #walks = new Map<string, RememberedWalk>();
  #names = 0;

  get(key: WalkKey): RememberedWalk | undefined {
    return this.#walks.get(nameOf(key));
  }

  set(key: WalkKey, walk: RememberedWalk): void {
    this.delete(key);
    const size = namesOf(walk);
    if (size > capacity) return;
    this.#walks.set(nameOf(key), walk);
    this.#names += size;
    for (const [name, oldest] of this.#walks) {
      if (this.#names <= capacity) return;
      this.#walks.delete(name);
      this.#names -= namesOf(oldest);
    }
  }

  /** The walk has ended. */
  delete(key: WalkKey): void {
    const name = nameOf(key);
    const walk = this.#walks.get(name);
    if (walk !== undefined) this.#names -= namesOf(walk);
    this.#walks.delete(name);
  }
}
