import type { LeaseStore } from "./ports/lease-store.ts";

/** The name of this process among the processes that share its store. */
export interface Holder {
  readonly holder: string;
  readonly leases: LeaseStore;
}

/**
 * Time that work may take before another process may assume that its holder is gone. Longer work only risks that the
 * same work is done twice.
 */
const leaseMs = 2_000;

/** Work that only one process does at a time. Within a process it runs one after the other. */
export class Exclusive {
  readonly #holder: Holder | undefined;
  readonly #running = new Map<string, Promise<void>>();

  /** @param holder `undefined`: there is no other process */
  constructor(holder: Holder | undefined) {
    this.#holder = holder;
  }

  /** Runs the work unless another process runs it at this time. Answers whether it ran. */
  async run(name: string, work: () => Promise<void>): Promise<boolean> {
    const before = this.#running.get(name);
    const turn = (before ?? Promise.resolve()).then(() => this.#runHere(name, work));
    const ended = turn.then(
      () => {},
      () => {},
    );
    this.#running.set(name, ended);
    try {
      return await turn;
    } finally {
      if (this.#running.get(name) === ended) this.#running.delete(name);
    }
  }

  async #runHere(name: string, work: () => Promise<void>): Promise<boolean> {
    if (this.#holder === undefined) {
      await work();
      return true;
    }
    const { leases, holder } = this.#holder;
    const [isHeld] = await leases.acquire(holder, [name], leaseMs);
    if (!isHeld) return false;
    try {
      await work();
    } finally {
      await leases.release(holder, [name]);
    }
    return true;
  }
}
