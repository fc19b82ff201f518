import { useSyncExternalStore } from "preact/compat";

const tickMs = 20_000;
const listeners = new Set<() => void>();
let clock: () => number = Date.now;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  now = clock();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = clock();
    timer = setInterval(tick, tickMs);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/**
 * Lets all relative times of the page follow this clock: messages carry the server's time, and the clock of a device
 * may be hours off. Call it again when the clock was set.
 */
export function followClock(source: () => number): void {
  clock = source;
  tick();
}

/** Returns the time in milliseconds, at most 20 s old. All relative times of the page share one timer. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
