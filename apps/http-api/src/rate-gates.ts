import type { VerifiedToken } from "@chat21/auth";
import { ChatError, systemUser } from "@chat21/protocol";
import type { Request, RequestHandler, Response } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import type { RateLimits } from "./http-api-config.ts";
import { runMiddleware } from "./run-middleware.ts";

const windowMs = 60_000;

/** Throws `rate_limited`, with the time to wait, for a request beyond the limit. */
type Gate = (request: Request, response: Response) => Promise<void>;

/** The limits of one API, counted in this process. */
export interface RateGates {
  readonly request: (request: Request, response: Response, actor: VerifiedToken | undefined) => Promise<void>;
  readonly signIn: Gate;
  /** Only for requests whose token is missing or bad: others from the same address are never held up. */
  readonly authFailure: Gate;
}

/** Makes the limits. */
export function createRateGates({ requests, signIns, authFailures }: RateLimits): RateGates {
  const byUser = new WeakMap<Request, string>();
  const request = gate(requests, (incoming) => byUser.get(incoming) ?? addressOf(incoming));
  return {
    async request(incoming, response, actor) {
      if (actor?.admin === true || actor?.user === systemUser) return;
      if (actor !== undefined) byUser.set(incoming, `${actor.app}/${actor.user}`);
      await request(incoming, response);
    },
    signIn: gate(signIns, addressOf),
    authFailure: gate(authFailures, addressOf),
  };
}

function gate(limit: number, keyGenerator: (request: Request) => string): Gate {
  const limiter: RequestHandler = rateLimit({
    windowMs,
    limit,
    keyGenerator,
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
