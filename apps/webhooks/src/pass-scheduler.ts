import type { Clock } from "@chat21/engine";

/** Bounds of the time between two passes that nobody asked for. */
const passLimits = {
  /** Passes never follow each other without a pause, however overdue something seems. */
  shortestPauseMs: 250,
  /** Rows of another process are seen after this time at the latest. */
  longestPauseMs: 5_000,
} as const;

/** Runs passes one at a time: at once when woken, otherwise when the last pass said. */
export interface PassScheduler {
  /** Asks for a pass; while one is under way, for one more after it. No effect once stopped. */
  wake(): void;
  /** No pass begins any more; resolves when none is under way. Idempotent. */
  stop(): Promise<void>;
}

/** Makes a scheduler. `pass` never rejects and answers when the next one is due (ms; `null` = no idea). */
export function createPassScheduler(clock: Clock, pass: () => Promise<number | null>): PassScheduler {
  let stopped = false;
  let woken = false;
  let running: Promise<void> | null = null;
  let stopTimer = () => {};

  const sleepUntil = (at: number | null): void => {
    const { shortestPauseMs, longestPauseMs } = passLimits;
    const pauseMs = Math.min(
      longestPauseMs,
      Math.max(shortestPauseMs, (at ?? Number.MAX_VALUE) - clock.now()),
    );
    stopTimer = clock.every(pauseMs, wake);
  };

  const run = async (): Promise<void> => {
    // A macrotask gathers wakes that come together, such as the ends of several requests.
    await new Promise<void>((resolve) => clock.soon(resolve));
    let nextAt: number | null = null;
    while (woken && !stopped) {
      woken = false;
      nextAt = await pass();
    }
    running = null;
    if (!stopped) sleepUntil(nextAt);
  };

  const wake = (): void => {
    if (stopped) return;
    woken = true;
    stopTimer();
    running ??= run();
  };

  return {
    wake,
    async stop() {
      stopped = true;
      stopTimer();
      await running;
    },
  };
}
