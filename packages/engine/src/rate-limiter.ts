import { ChatError } from "@chat21/protocol";
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
  readonly #rate: Rate | null;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate | null, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes one token. Throws `rate_limited` with the time until the next one. */
  take(key: string): void {
    const rate = this.#rate;
    if (rate === null) return;
    const now = this.#clock.elapsed();
    const bucket = this.#buckets.get(key) ?? { tokens: rate.capacity, filledAt: now };
    const perMs = rate.refillPerMinute / 60_000;
    bucket.tokens = Math.min(rate.capacity, bucket.tokens + (now - bucket.filledAt) * perMs);
    bucket.filledAt = now;
    this.#remember(key, bucket);
    if (bucket.tokens < 1) {
      const retryAfterMs = Math.ceil((1 - bucket.tokens) / perMs);
      throw new ChatError("rate_limited", "the sender is over its message rate", { retryAfterMs });
    }
    bucket.tokens -= 1;
  }

  #remember(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= maxBuckets) return;
    const oldest = this.#buckets.keys().next().value;
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
