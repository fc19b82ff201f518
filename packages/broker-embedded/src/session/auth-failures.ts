const windowMs = 60_000;
/** Addresses remembered at most; beyond it the table starts afresh rather than growing under a flood. */
const maxAddresses = 50_000;

/** Refused CONNECTs per address in windows of one minute. */
export class AuthFailures {
  readonly #maxPerMinute: number;
  #counts = new Map<string, number>();
  #windowEndsAt = 0;

  /** `maxPerMinute` 0: no limit. */
  constructor(maxPerMinute: number) {
    this.#maxPerMinute = maxPerMinute;
  }

  /** Whether `address` has used up its failures of this minute. */
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
