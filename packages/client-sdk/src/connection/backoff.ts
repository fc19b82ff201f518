/** The delay before attempt `attempt` (1, 2, 3 …), in milliseconds. */
export type Backoff = (attempt: number) => number;

/** Bounds of {@link exponentialBackoff}. */
export interface BackoffOptions {
  /** Upper bound of the first delay. @default 500 */
  readonly minMs?: number;
  /** Upper bound of every delay. @default 30000 */
  readonly maxMs?: number;
  /** In [0, 1). @default Math.random */
  readonly random?: () => number;
}

/**
 * Doubles from `minMs` to `maxMs`, with full jitter: any delay between 0 and the bound is equally likely. So clients
 * that were dropped together do not come back together.
 */
export function exponentialBackoff(options: BackoffOptions = {}): Backoff {
  const { minMs = 500, maxMs = 30_000, random = Math.random } = options;
  return (attempt) => random() * Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 30));
}
