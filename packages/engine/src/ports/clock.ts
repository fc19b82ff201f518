/** Time, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch, for what is stored or told. An operator or NTP may set it back or forward. */
  now(): number;
  /**
   * Milliseconds since some moment of this process, with fractions. It never goes back and never jumps, so durations
   * and times that only this process keeps are measured by it.
   */
  elapsed(): number;
  /** Calls `run` every `intervalMs`; returns the way to stop it. Does not keep a process alive. */
  every(intervalMs: number, run: () => void): () => void;
  /** Resolves after at least `delayMs`. */
  delay(delayMs: number): Promise<void>;
  /** Calls `run` soon, after the work that already waits (a macrotask). It gathers a batch without a timer. */
  soon(run: () => void): void;
}
