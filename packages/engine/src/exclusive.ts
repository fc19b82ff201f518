import type { LeaseStore } from "./ports/lease-store.ts";

/** Who this process is among those that share its store. */
export interface Holder {
  readonly holder: string;
  readonly leases: LeaseStore;
}

/**
 * How long work may take before another process may think that its holder is gone. Whoever takes longer only risks that
 * the same is done twice.
 */
const leaseMs = 2_000;

/** Work that one process does at a time, and in this process one after the other. */
export class Exclusive {
  readonly #holder: Holder | undefined;
  readonly #running = new Map<string, Promise<void>>();

  /** @param holder `undefined`: there is no other process */
  constructor(holder: Holder | undefined) {
    this.#holder = holder;
  }

  /** Runs it unless another process does at this time; answers whether it ran. */
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
