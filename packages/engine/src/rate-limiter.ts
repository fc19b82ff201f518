import type { Clock } from "./ports/clock.ts";

/** A token bucket's shape. */
export interface Rate {
  readonly capacity: number;
  readonly refillPerMinute: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

const maxBuckets = 50_000;

/** Token buckets in memory, one per key. A denied take costs nothing. */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Pick<Clock, "elapsed">) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /**
   * Takes `cost` tokens and returns 0; or takes none and returns the milliseconds until there are so many.
   * @param cost at most the capacity
   */
  take(key: string, cost = 1): number {
    const { capacity, refillPerMinute } = this.#rate;
    const now = this.#clock.elapsed();
    const bucket = this.#buckets.get(key) ?? { tokens: capacity, filledAt: now };
    const perMs = refillPerMinute / 60_000;
    bucket.tokens = Math.min(capacity, bucket.tokens + (now - bucket.filledAt) * perMs);
    bucket.filledAt = now;
    this.#remember(key, bucket);
    if (bucket.tokens < cost) return Math.ceil((cost - bucket.tokens) / perMs);
    bucket.tokens -= cost;
    return 0;
  }

  #remember(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= maxBuckets) return;
    const oldest = this.#buckets.keys().next().value;
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
