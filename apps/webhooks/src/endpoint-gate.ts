import type { WebhookEndpoint } from "@chat21/events";
import { createSigner, type Signer } from "./signature-headers.ts";

/** How much is made of one endpoint at a time, and how a failing one is spared. */
export const gateLimits = {
  /** Requests under way to one endpoint. */
  requests: 16,
  /** So many failures in a row make an endpoint "failing": one request at a time, with rests between. */
  failuresUntilRest: 5,
  firstRestMs: 1_000,
  longestRestMs: 60_000,
} as const;

/** What a gate noticed with an attempt; a worker logs it. */
export type LaneChange = "failing" | "recovered" | null;

/**
 * One endpoint as a worker sees it: how many requests are under way, whether it fails, whether it said 410. A gate
 * only ever holds back requests; what becomes of a row is decided by the row's own attempts.
 */
export class EndpointGate {
  readonly endpoint: WebhookEndpoint;
  readonly sign: Signer;
  #underWay = 0;
  #failuresInRow = 0;
  #failingSince: number | null = null;
  #restMs = 0;
  #restUntil = 0;
  #goneId: string | null = null;

  constructor(endpoint: WebhookEndpoint) {
    this.endpoint = endpoint;
    this.sign = createSigner(endpoint.secrets);
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Failing: too many failures in a row and no success since. */
  get failing(): boolean {
    return this.#restMs > 0;
  }

  /** When the first failure came that no success followed (ms); `null` after a success. */
  get failingSince(): number | null {
    return this.#failingSince;
  }

  /** The delivery that was answered with 410; `null` while the endpoint is in use. */
  get goneId(): string | null {
    return this.#goneId;
  }

  /** No request is made before it (ms). */
  get restUntil(): number {
    return this.#restUntil;
  }

  /** How many more requests may be under way at `now`. */
  room(now: number): number {
    if (this.#goneId !== null || now < this.#restUntil) return 0;
    return Math.max(0, (this.failing ? 1 : gateLimits.requests) - this.#underWay);
  }

  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
  }

  /** An answer that shows that the endpoint works, whatever it thought of the row. */
  noteAnswer(): LaneChange {
    const wasFailing = this.failing;
    this.#failingSince = null;
    this.#failuresInRow = 0;
    this.#restMs = 0;
    this.#restUntil = 0;
    return wasFailing ? "recovered" : null;
  }

  /** No answer, or one that asks to try again. `retryAfterMs` rests the whole endpoint, within bounds. */
  noteFailure(now: number, retryAfterMs: number | null): LaneChange {
    const wasFailing = this.failing;
    // What was under way when the rest began fails as well, and says nothing new.
    const news = !wasFailing || now >= this.#restUntil;
    this.#failingSince ??= now;
    this.#failuresInRow += 1;
    if (retryAfterMs !== null) this.#rest(now, Math.min(retryAfterMs, gateLimits.longestRestMs));
    if (this.#failuresInRow < gateLimits.failuresUntilRest || !news) return null;
    this.#restMs = Math.min(gateLimits.longestRestMs, Math.max(gateLimits.firstRestMs, this.#restMs * 2));
    this.#rest(now, this.#restMs);
    return wasFailing ? null : "failing";
  }

  /** The endpoint wants nothing any more; answers whether that is news. */
  noteGone(id: string): boolean {
    const news = this.#goneId === null;
    this.#goneId ??= id;
    return news;
  }

  /** Uses the endpoint again, as if nothing had been. */
  enable(): void {
    this.#goneId = null;
    this.noteAnswer();
  }

  #rest(now: number, restMs: number): void {
    this.#restUntil = Math.max(this.#restUntil, now + restMs);
  }
}
