/** The holder of a lease that has not run out. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  /**
   * Milliseconds until others may take it, by the store's clock, at the time of the read. It is a little more than its
   * holder counts where the store's clock may change with an election.
   */
  readonly remainingMs: number;
}

/**
 * Leases between processes that share a store, for work that only one of them may do at a time. A lease runs out by the
 * store's own clock, so that the clocks of machines need not agree.
 */
export interface LeaseStore {
  /**
   * Takes each lease that is free or has run out, and extends each lease of `holder`: by `ttlMs` (100-600,000) from
   * now. An extension never shortens. One answer per name, in order: whether `holder` has it. Never waits for another
   * holder. A holder that counts `ttlMs` from before the call stops believing in its lease before another one can get
   * it.
   */
  acquire(holder: string, names: readonly string[], ttlMs: number): Promise<readonly boolean[]>;
  /** Gives back the leases that `holder` has among these; others' leases stay. Idempotent. */
  release(holder: string, names: readonly string[]): Promise<void>;
  /** Leases whose names begin with `prefix`, and that have not run out, ascending by name; at most 1,000. */
  list(prefix: string): Promise<readonly Lease[]>;
}
