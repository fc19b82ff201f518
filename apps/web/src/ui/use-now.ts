import { useSyncExternalStore } from "preact/compat";
import { startOfDay } from "./format-time.ts";

const tickMs = 20_000;
/** Times up to here ahead are shown as they are: `now` is a little behind, and so may the known clock be. */
const leewayMs = 60_000;
const listeners = new Set<() => void>();
let clock: () => number = Date.now;
let now = Date.now();
let isServerTime = false;
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
 * may be hours off. Call it again when the clock was set. `serverTime`: it is known to be the server's, so that no
 * message is newer.
 */
export function followClock(source: () => number, serverTime: boolean): void {
  clock = source;
  isServerTime = serverTime;
  tick();
}

/**
 * The time to show for a message: its own, but never one in the future, which a clock that was ahead has given it. As long
 * as the server's clock is not known, every time is shown as it is.
 */
export function shownTime(timestamp: number): number {
  return isServerTime && timestamp > now + leewayMs ? now : timestamp;
}

/** Returns {@link shownTime}, and follows it. */
export function useShownTime(timestamp: number): number {
  return useSyncExternalStore(subscribe, () => shownTime(timestamp));
}

/** Returns the beginning of the last day that a message can have; `Infinity` as long as the server's clock is not known. */
export function useLatestDay(): number {
  return useSyncExternalStore(subscribe, latestDay);
}

function latestDay(): number {
  return isServerTime ? startOfDay(now + leewayMs) : Number.POSITIVE_INFINITY;
}

/** Returns the time in milliseconds, at most 20 s old. All relative times of the page share one timer. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
