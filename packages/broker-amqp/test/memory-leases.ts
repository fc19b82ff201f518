import type { Lease, LeaseStore } from "@chat21/engine";

/** Leases in this process' memory, for several edges in one test. */
export class MemoryLeases implements LeaseStore {
  readonly #now: () => number;
  readonly #leases = new Map<string, { holder: string; until: number }>();
  /** While set, every call rejects with it. */
  failure: Error | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  async acquire(holder: string, names: readonly string[], ttlMs: number): Promise<readonly boolean[]> {
    if (this.failure !== undefined) throw this.failure;
    const now = this.#now();
    return names.map((name) => {
      const lease = this.#leases.get(name);
      if (lease !== undefined && lease.holder !== holder && lease.until > now) return false;
      this.#leases.set(name, { holder, until: now + ttlMs });
      return true;
    });
  }

  async release(holder: string, names: readonly string[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    for (const name of names) if (this.#leases.get(name)?.holder === holder) this.#leases.delete(name);
  }

  async list(prefix: string): Promise<readonly Lease[]> {
    if (this.failure !== undefined) throw this.failure;
    const now = this.#now();
    return [...this.#leases]
      .filter(([name, { until }]) => name.startsWith(prefix) && until > now)
      .map(([name, { holder, until }]) => ({ name, holder, remainingMs: until - now }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
