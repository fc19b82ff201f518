import type { Clock } from "@chat21/engine";

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves time on by `elapsedMs`. Timers that fall due on the way are called in order of time, each at its own moment,
   * with one turn of the event loop after each. So the started work may set new timers within the same stretch.
   */
  advance(elapsedMs: number): Promise<void>;
  /** Sets the wall clock by `byMs`, as an operator or NTP does: back when it is negative. Timers and durations go on. */
  step(byMs: number): void;
  /** Time of the next timer, milliseconds; `null` without timers. */
  nextTimerAt(): number | null;
}

interface Timer {
  at: number;
  /** `null`: fires once. */
  readonly intervalMs: number | null;
  readonly run: () => void;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Makes a clock that shows `startAt` (ms). @default 1_700_000_000_000 */
export function createManualClock(startAt = 1_700_000_000_000): ManualClock {
  let now = startAt;
  let stepped = 0;
  const timers = new Set<Timer>();

  const set = (delayMs: number, intervalMs: number | null, run: () => void): Timer => {
    const timer = { at: now + Math.max(0, delayMs), intervalMs, run };
    timers.add(timer);
    return timer;
  };

  // A Set keeps the order of insertion, so timers of the same moment fire in the order in which they were set.
  const earliest = (): Timer | undefined => {
    let found: Timer | undefined;
    for (const timer of timers) if (found === undefined || timer.at < found.at) found = timer;
    return found;
  };

  const fire = (timer: Timer): void => {
    timers.delete(timer);
    now = Math.max(now, timer.at);
    if (timer.intervalMs !== null) {
      timer.at = now + timer.intervalMs;
      timers.add(timer);
    }
    timer.run();
  };

  return {
    now: () => now + stepped,
    elapsed: () => now - startAt,
    step(byMs) {
      stepped += byMs;
    },
    every(intervalMs, run) {
      const timer = set(intervalMs, Math.max(1, intervalMs), run);
      return () => timers.delete(timer);
    },
    delay: (delayMs) => new Promise((resolve) => set(delayMs, null, resolve)),
    soon: (run) => void setImmediate(run),
    async advance(elapsedMs) {
      const until = now + elapsedMs;
      for (let next = earliest(); next !== undefined && next.at <= until; next = earliest()) {
        fire(next);
        await turn();
      }
      now = Math.max(now, until);
      await turn();
    },
    nextTimerAt() {
      const next = earliest();
      return next === undefined ? null : next.at + stepped;
    },
  };
}
