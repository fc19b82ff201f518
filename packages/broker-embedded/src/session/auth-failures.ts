import ipaddr from "ipaddr.js";

/** Counts refused CONNECTs per address, an IPv6 one by its network of 64 bits, in windows of one minute. */
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
    return (this.#counts.get(networkOf(address)) ?? 0) >= this.#maxPerMinute;
  }

  add(address: string, nowMs: number): void {
    if (this.#maxPerMinute === 0) return;
    this.#turn(nowMs);
    if (this.#counts.size >= maxAddresses) this.#counts.clear();
    const network = networkOf(address);
    this.#counts.set(network, (this.#counts.get(network) ?? 0) + 1);
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#windowEndsAt) return;
    this.#counts.clear();
    this.#windowEndsAt = nowMs + windowMs;
  }
}

/** One household has 2^64 addresses of IPv6. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(":") : parsed.toString();
}

const windowMs = 60_000;
/** Most addresses remembered. A full table is emptied, so that a flood cannot make it grow. */
const maxAddresses = 50_000;
