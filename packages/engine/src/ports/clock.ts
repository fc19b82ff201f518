/** Time, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` every `intervalMs`; returns the way to stop it. Does not keep a process alive. */
  every(intervalMs: number, run: () => void): () => void;
  /** Resolves after at least `delayMs`. */
  delay(delayMs: number): Promise<void>;
  /** Calls `run` soon, after the work that already waits (a macrotask). It gathers a batch without a timer. */
  soon(run: () => void): void;
}
