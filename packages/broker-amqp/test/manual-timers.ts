import type { Timers } from "../src/timers.ts";

/** Time that stands still until a test moves it. */
export interface ManualTimers extends Timers {
  /** Moves time on; what falls due is called at its own moment, with a turn of the event loop after each. */
  advance(elapsedMs: number): Promise<void>;
}

/** Makes time that shows `startAt` (ms). */
export function createManualTimers(startAt = 1_000): ManualTimers {
  let now = startAt;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const nextBefore = (until: number) =>
    [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(elapsedMs) {
      const until = now + elapsedMs;
      await turn();
      for (let next = nextBefore(until); next !== undefined; next = nextBefore(until)) {
        timers.delete(next);
        now = Math.max(now, next.at);
        next.run();
        await turn();
      }
      now = until;
      await turn();
    },
  };
}
