import { performance } from "node:perf_hooks";

/** Monotonic time and timers, as a port so that tests control them. */
export interface Timers {
  /** Milliseconds since some moment; never goes back, and goes on while the process is stopped. */
  now(): number;
  /** Calls `run` once after `delayMs`; returns the function that cancels it. Keeps the process alive. */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves with `true` when `promise` settles first, and with `false` after `timeoutMs`. Never rejects. */
export function settlesWithin(
  timers: Timers,
  promise: Promise<unknown>,
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = timers.after(timeoutMs, () => resolve(false));
    const settle = () => {
      stop();
      resolve(true);
    };
    promise.then(settle, settle);
  });
}
