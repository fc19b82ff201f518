import type { VerifiedToken } from "@chat21/auth";
import type { Clock } from "@chat21/engine";
import { ChatError, systemUser } from "@chat21/protocol";
import type { Request, RequestHandler, Response } from "express";
import { type ClientRateLimitInfo, ipKeyGenerator, rateLimit, type Store } from "express-rate-limit";
import type { RateLimits } from "./http-api-config.ts";
import { runMiddleware } from "./run-middleware.ts";

const windowMs = 60_000;

/** Throws `rate_limited`, with the time to wait, for a request beyond the limit. */
type Gate = (request: Request, response: Response) => Promise<void>;

/** The limits of one API, counted in this process. */
export interface RateGates {
  readonly request: (request: Request, response: Response, actor: VerifiedToken | undefined) => Promise<void>;
  readonly signIn: Gate;
}

/**
 * Counts a request whose token is missing or bad. Throws `rate_limited`, with the time to wait, when too many came from its
 * address; others from the same address are never held up.
 */
export type AuthFailureGate = Gate;

/** Makes the limit of failed authentications, for all paths of a process together. */
export function createAuthFailureGate(
  { authFailures }: Pick<RateLimits, "authFailures">,
  clock: RateClock,
): AuthFailureGate {
  return createGate(authFailures, addressOf, clock);
}

/** Makes the limits. */
export function createRateGates(
  { requests, signIns }: Pick<RateLimits, "requests" | "signIns">,
  clock: RateClock,
): RateGates {
  const byUser = new WeakMap<Request, string>();
  const gate = (limit: number, keyOf: (request: Request) => string) => createGate(limit, keyOf, clock);
  const request = gate(requests, (incoming) => byUser.get(incoming) ?? addressOf(incoming));
  return {
    async request(incoming, response, actor) {
      if (actor?.admin === true || actor?.user === systemUser) return;
      if (actor !== undefined) byUser.set(incoming, `${actor.app}/${actor.user}`);
      await request(incoming, response);
    },
    signIn: gate(signIns, addressOf),
  };
}

type RateClock = Pick<Clock, "elapsed">;

/**
 * Counts of the present window of each key. In place of the library's own store, which goes by the wall clock: who was
 * over the limit when the clock was set back by an hour would stay refused for that hour.
 */
class MonotonicCounts implements Store {
  readonly localKeys = true;
  readonly #clock: RateClock;
  /** The keys whose windows began first stand in front. */
  readonly #windows = new Map<string, { hits: number; readonly end: number }>();

  constructor(clock: RateClock) {
    this.#clock = clock;
  }

  increment(key: string): ClientRateLimitInfo {
    const elapsed = this.#clock.elapsed();
    for (const [old, { end }] of this.#windows) {
      if (end > elapsed) break;
      this.#windows.delete(old);
    }
    const window = this.#windows.get(key) ?? { hits: 0, end: elapsed + windowMs };
    window.hits += 1;
    this.#windows.set(key, window);
    // The library takes the machine's time off again, at once.
    return { totalHits: window.hits, resetTime: new Date(Date.now() + window.end - elapsed) };
  }

  decrement(key: string): void {
    const window = this.#windows.get(key);
    if (window !== undefined) window.hits -= 1;
  }

  resetKey(key: string): void {
    this.#windows.delete(key);
  }
}

function createGate(limit: number, keyGenerator: (request: Request) => string, clock: RateClock): Gate {
  const limiter: RequestHandler = rateLimit({
    windowMs,
    limit,
    keyGenerator,
    store: new MonotonicCounts(clock),
    standardHeaders: "draft-8",
    legacyHeaders: false,
    // Its checks write to the console at the first request; this code already rules out the mistakes that they look
    // for.
    validate: false,
    handler: (request, _response, next) => {
      const { resetTime } = (request as Request & { rateLimit?: { resetTime?: Date } }).rateLimit ?? {};
      const retryAfterMs = Math.max(1_000, (resetTime?.getTime() ?? Date.now() + windowMs) - Date.now());
      next(new ChatError("rate_limited", undefined, { retryAfterMs }));
    },
  });
  return (request, response) => runMiddleware(limiter, request, response);
}

/** The network of one household. */
const networkBits = 64;

/** The address, an IPv6 one by its network, because one household has 2^64 of them. */
function addressOf(request: Request): string {
  return ipKeyGenerator(request.ip ?? "", networkBits);
}
