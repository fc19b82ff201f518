const firstMs = 50;
const longestMs = 5_000;

/**
 * How long to wait before the `attempt`th (1, 2, …) try to reconnect, milliseconds: doubling from 50 to 5,000. `random`
 * (0 to 1) keeps between a half and all of it, so that not all processes come back at once.
 */
export function reconnectDelayMs(attempt: number, random: number): number {
  const delayMs = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 20));
  return delayMs * (0.5 + random / 2);
}
