import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "@chat21/engine";

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
  delay: (delayMs) => delay(delayMs),
  soon: (run) => {
    setImmediate(run);
  },
};
