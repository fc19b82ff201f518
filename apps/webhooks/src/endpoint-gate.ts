import type { WebhookEndpoint, WebhookSecret } from "@chat21/events";
import { createSigner, type Signer } from "./signature-headers.ts";

/** Limits of requests to one endpoint, also to a failing one. */
export const gateLimits = {
  /** Places for requests to one endpoint. */
  requests: 16,
  /**
   * A request without an answer for so long gives its place to the next one, and goes on. So conversations that hang
   * delay others by this time and not by 30 s. The bound on requests under way follows: a place is given up at most 15
   * times within 30 s.
   */
  hangsAfterMs: 2_000,
  /** Failures in a row that make an endpoint "failing", and unavailable ones after which it rests. */
  failuresUntilRest: 5,
  firstRestMs: 1_000,
  longestRestMs: 60_000,
  /** A failing endpoint is asked by one of its rows at least so often. */
  probeEveryMs: 60_000,
} as const;

/** A change that a gate noticed with an attempt; a worker logs it. */
export type LaneChange = "failing" | "recovered" | null;

/**
 * One endpoint as a worker sees it: how many places are taken, whether it fails, whether it said 410. A gate only
 * holds back requests; a row's own attempts decide its outcome. Only an endpoint that is unavailable rests, then with one
 * request at a time: other failures may be due to a conversation, and that one rests by its own row.
 */
export class EndpointGate {
  readonly endpoint: WebhookEndpoint;
  #sign: Signer;
  #underWay = 0;
  #failuresInRow = 0;
  #unavailableInRow = 0;
  #probeAt = 0;
  #recovered = false;
  #failingSince: number | null = null;
  #restMs = 0;
  #restUntil = 0;
  #goneId: string | null = null;

  constructor(endpoint: WebhookEndpoint) {
    this.endpoint = endpoint;
    this.#sign = createSigner(endpoint.secrets);
  }

  get sign(): Signer {
    return this.#sign;
  }

  /** Signs with these from the next request on. */
  signWith(secrets: readonly WebhookSecret[]): void {
    this.#sign = createSigner(secrets);
  }

  /** Places that are taken. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Failing: too many failures in a row and no success since. */
  get failing(): boolean {
    return this.#failuresInRow >= gateLimits.failuresUntilRest;
  }

  /** Time (`Clock.elapsed`) of the first failure since the last success; `null` after a success. */
  get failingSince(): number | null {
    return this.#failingSince;
  }

  /** The delivery that was answered with 410; `null` while the endpoint is in use. */
  get goneId(): string | null {
    return this.#goneId;
  }

  /** No request is made before it (`Clock.elapsed`). */
  get restUntil(): number {
    return this.#restUntil;
  }

  /** How many places are free. @param now `Clock.elapsed` */
  room(now: number): number {
    if (this.#goneId !== null || now < this.#restUntil) return 0;
    return Math.max(0, (this.#restMs > 0 ? 1 : gateLimits.requests) - this.#underWay);
  }

  /** Takes a place. */
  begin(): void {
    this.#underWay += 1;
  }

  /** Gives a place back: of a request that is over, or that hangs. */
  end(): void {
    this.#underWay -= 1;
  }

  /** Whether it works again, and rows that wait for it were not made due yet. */
  get recovered(): boolean {
    return this.#recovered;
  }

  /** Notes that all that waits is due. */
  noteHastened(): void {
    this.#recovered = false;
  }

  /** Notes an answer that shows that the endpoint works. */
  noteAnswer(): LaneChange {
    const wasFailing = this.failing;
    this.#failingSince = null;
    this.#failuresInRow = 0;
    this.#recovered ||= wasFailing;
    this.#endRest();
    return wasFailing ? "recovered" : null;
  }

  /**
   * Notes that there was no answer, or one that asks to try again. `retryAfterMs` rests the whole endpoint, within
   * bounds. `unavailable`: the endpoint works for no conversation. `now` is `Clock.elapsed`.
   */
  noteFailure(now: number, retryAfterMs: number | null, unavailable: boolean): LaneChange {
    const wasFailing = this.failing;
    this.#failingSince ??= now;
    this.#failuresInRow += 1;
    if (unavailable) this.#noteUnavailable(now);
    else this.#endRest();
    if (retryAfterMs !== null) this.#rest(now, Math.min(retryAfterMs, gateLimits.longestRestMs));
    return this.failing && !wasFailing ? "failing" : null;
  }

  /**
   * When to try a row again that was to wait until `at`. While the endpoint fails, one of its rows is tried within
   * `probeEveryMs`: so it is known soon that the endpoint works again, however long the rows wait.
   */
  planProbe(now: number, at: number, retryAfterMs: number | null): number {
    const latest = now + gateLimits.probeEveryMs;
    const isPlanned = this.#probeAt > now && this.#probeAt <= latest;
    if (!this.failing || isPlanned || now + (retryAfterMs ?? 0) > latest) return at;
    this.#probeAt = Math.min(at, latest);
    return this.#probeAt;
  }

  /** Notes that the endpoint wants no more requests; answers whether that is news. */
  noteGone(id: string): boolean {
    const news = this.#goneId === null;
    this.#goneId ??= id;
    return news;
  }

  /** Uses the endpoint again, without any memory of failures. */
  enable(): void {
    this.#goneId = null;
    this.noteAnswer();
  }

  #noteUnavailable(now: number): void {
    this.#unavailableInRow += 1;
    // Requests that were under way when the rest began fail as well; that is no news.
    if (this.#unavailableInRow < gateLimits.failuresUntilRest || now < this.#restUntil) return;
    this.#restMs = Math.min(gateLimits.longestRestMs, Math.max(gateLimits.firstRestMs, this.#restMs * 2));
    this.#rest(now, this.#restMs);
  }

  #endRest(): void {
    this.#unavailableInRow = 0;
    this.#restMs = 0;
    this.#restUntil = 0;
  }

  #rest(now: number, restMs: number): void {
    this.#restUntil = Math.max(this.#restUntil, now + restMs);
  }
}
