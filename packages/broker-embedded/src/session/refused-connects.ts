import { networkOf } from "./network-of.ts";

/** Counts refused CONNECTs per address, an IPv6 one by its network of 64 bits, in windows of one minute. */
export class RefusedConnects {
  readonly #maxFailuresPerMinute: number;
  readonly #counts = new Map<string, { refusals: number; failures: number }>();
  #windowEndsAt = 0;

  /** `maxFailuresPerMinute` 0: no limit. */
  constructor(maxFailuresPerMinute: number) {
    this.#maxFailuresPerMinute = maxFailuresPerMinute;
  }

  /** Counts one. `isFailure`: what the client sent is wrong, and stays so when it is sent again. */
  note(address: string, isFailure: boolean, nowMs: number): RefusedConnect {
    if (nowMs >= this.#windowEndsAt || this.#counts.size >= maxAddresses) {
      this.#counts.clear();
      this.#windowEndsAt = nowMs + windowMs;
    }
    const network = networkOf(address);
    const counts = this.#counts.get(network) ?? { refusals: 0, failures: 0 };
    this.#counts.set(network, counts);
    counts.refusals += 1;
    if (isFailure) counts.failures += 1;
    const most = this.#maxFailuresPerMinute === 0 ? Number.POSITIVE_INFINITY : this.#maxFailuresPerMinute;
    return { isFirst: counts.refusals === 1, isOneTooMany: isFailure && counts.failures > most };
  }
}

/** The place of a refused CONNECT among those of its address in this minute. */
export interface RefusedConnect {
  readonly isFirst: boolean;
  /** The address has failed more often than it may. */
  readonly isOneTooMany: boolean;
}

const windowMs = 60_000;
/** Most addresses remembered. A full table is emptied, so that a flood cannot make it grow. */
const maxAddresses = 50_000;
