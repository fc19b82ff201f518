import {
  createServerKeys,
  looksLikeServerKey,
  type ServerKeyStore,
  type ServerKeys,
  type VerifiedToken,
  type Verifier,
} from "@chat21/auth";
import type { Clock, Log } from "@chat21/engine";
import { ChatError, errorCodes } from "@chat21/protocol";
import type { Request, Response } from "express";
import type { RateLimits } from "./http-api-config.ts";
import { type AuthFailureGate, createAuthFailureGate } from "./rate-gates.ts";

/** Parts of {@link verifyCaller}. */
export interface CallerParts {
  readonly verifier: Verifier;
  readonly serverKeys: ServerKeys;
  readonly authFailures: AuthFailureGate;
}

/** Settings of {@link createCallers}. */
export interface CallersOptions {
  readonly verifier: Verifier;
  readonly keys: ServerKeyStore;
  readonly rateLimits: Pick<RateLimits, "authFailures">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes what a process tells callers by: once, so that all of its paths share one limit and one memory of keys. */
export function createCallers({ verifier, keys, rateLimits, clock, log }: CallersOptions): CallerParts {
  const serverKeys = createServerKeys({ store: keys, clock, log });
  return { verifier, serverKeys, authFailures: createAuthFailureGate(rateLimits, clock) };
}

/**
 * Tells who calls, by a token or a server key. Throws what `Verifier.verify` and `ServerKeys.verify` throw, `unauthorized`
 * for none, and in place of these `rate_limited` when too many such requests came from the address.
 */
export async function verifyCaller(
  { verifier, serverKeys, authFailures }: CallerParts,
  credential: string | undefined,
  request: Request,
  response: Response,
): Promise<VerifiedToken> {
  try {
    if (credential === undefined || credential === "") throw new ChatError("unauthorized");
    return await (looksLikeServerKey(credential) ? serverKeys : verifier).verify(credential);
  } catch (thrown) {
    const isTheirs = errorCodes[ChatError.fromUnknown(thrown).code].status === 401;
    if (isTheirs) await authFailures(request, response);
    throw thrown;
  }
}
