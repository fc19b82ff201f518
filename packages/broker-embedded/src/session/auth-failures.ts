/** Counts refused CONNECTs per address, in windows of one minute. */
export class AuthFailures {
  readonly #maxPerMinute: number;
  #counts = new Map<string, number>();
  #windowEndsAt = 0;

  /** `maxPerMinute` 0: no limit. */
  constructor(maxPerMinute: number) {
    this.#maxPerMinute = maxPerMinute;
  }

  /** Says whether `address` has reached the limit of this minute. */
  isExhausted(address: string, nowMs: number): boolean {
    if (this.#maxPerMinute === 0) return false;
    this.#turn(nowMs);
    return (this.#counts.get(address) ?? 0) >= this.#maxPerMinute;
  }

  add(address: string, nowMs: number): void {
    if (this.#maxPerMinute === 0) return;
    this.#turn(nowMs);
    if (this.#counts.size >= maxAddresses) this.#counts.clear();
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#windowEndsAt) return;
    this.#counts.clear();
    this.#windowEndsAt = nowMs + windowMs;
  }
}

const windowMs = 60_000;
/** Most addresses remembered. A full table is emptied, so that a flood cannot make it grow. */
const maxAddresses = 50_000;
