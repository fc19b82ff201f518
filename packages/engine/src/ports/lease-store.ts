/** Who holds a lease that has not run out. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  /**
   * Milliseconds until others may have it, by the store's clock, when it was read: a little more than its holder counts,
   * where the store's clock may change with an election.
   */
  readonly remainingMs: number;
}

/**
 * Leases between processes that share a store: what only one of them may do at a time. A lease runs out by the store's
 * own clock, so that the clocks of machines need not agree.
 */
export interface LeaseStore {
  /**
   * Takes each lease that is free or has run out, and extends each that `holder` has: by `ttlMs` (100-600,000) from now.
   * An extension never shortens. One answer per name, in order: whether `holder` has it. Never waits for another
   * holder. Whoever counts `ttlMs` from before the call never believes to hold what somebody else has been given.
   */
  acquire(holder: string, names: readonly string[], ttlMs: number): Promise<readonly boolean[]>;
  /** Gives back what `holder` has of these; others' leases stay. Idempotent. */
  release(holder: string, names: readonly string[]): Promise<void>;
  /** Leases whose names begin with `prefix`, and that have not run out, ascending by name; at most 1,000. */
  list(prefix: string): Promise<readonly Lease[]>;
}
