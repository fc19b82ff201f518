import type { Clock, Log } from "@chat21/engine";
import { ChatError, isId, systemUser, toWireId } from "@chat21/protocol";
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { refusalOf } from "./claims.ts";
import type { FetchPart } from "./fetch-bounded.ts";
import { ProviderKeys } from "./provider-keys.ts";
import { leewaySeconds, notYet, tokenBytes } from "./tokens.ts";
import type { VerifiedToken } from "./verified-token.ts";

/**
 * Verifies the tokens of one identity provider by its public keys: ID tokens of OpenID Connect Core 1.0, and access
 * tokens that are JSON Web Tokens (RFC 9068). Their holders are ordinary users of one app, never admins (ADR-0021).
 */
export interface IdentityProvider {
  /** Whether the token says that this provider issued it. Nothing of it is verified yet. */
  isNamedBy(token: string): boolean;
  /**
   * Checks signature, issuer, audience, times and id. Throws `ChatError`: `unauthorized` or `token_expired`, with the rule
   * that failed as `cause`, for the operator alone; `unauthorized` with `retryAfterMs` for a token that is not valid yet, and
   * for a key that the provider may have made since its keys were read; `timeout` when a key is not known and the provider
   * does not answer.
   */
  verify(token: string): Promise<VerifiedToken>;
  /** Calls `listener` when the provider has other keys than before. */
  onKeys(listener: () => void): () => void;
  /** Reads the keys, and again every ten minutes. A provider that does not answer is no failure. */
  start(): Promise<void>;
  /** Stops the background work. Idempotent. */
  stop(): void;
}

/** Settings of an {@link IdentityProvider}. */
export interface IdentityProviderOptions {
  /** The exact `iss` of its tokens: an https address, or http of this machine. */
  readonly issuer: string;
  /** Its key set. @default as `<issuer>/.well-known/openid-configuration` says (OpenID Connect Discovery 1.0) */
  readonly jwksUrl?: string;
  /** A token's `aud` must name one of these. At least one: a token for another application is not for us. */
  readonly audiences: readonly string[];
  /** App that its users belong to. */
  readonly app: string;
  /** Claim that holds the user's id, as it is outside. `email` counts only with `email_verified`. @default "sub" */
  readonly userClaim?: string;
  readonly clock: Pick<Clock, "elapsed" | "every" | "now">;
  readonly fetch: FetchPart;
  /** Hears of keys that could not be read. @default none */
  readonly log?: Log;
}

/** Creates the verifier of a provider's tokens. It reads nothing before `start` or the first token. */
export function createIdentityProvider(options: IdentityProviderOptions): IdentityProvider {
  const { issuer, audiences, clock, log } = options;
  const userClaim = options.userClaim ?? "sub";
  const keys = new ProviderKeys(options);
  const listeners = new Set<() => void>();
  let stopReading: (() => void) | undefined;

  const read = async (): Promise<void> => {
    try {
      if (await keys.read()) for (const listener of listeners) listener();
    } catch (thrown) {
      log?.warn({ issuer, error: thrown }, "the keys of the identity provider could not be read");
    }
  };

  return {
    isNamedBy(token) {
      if (token.length > tokenBytes) return false;
      try {
        return decodeJwt(token).iss === issuer && decodeProtectedHeader(token).alg !== "HS256";
      } catch {
        return false;
      }
    },

    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, (header, signed) => keys.find(header, signed), {
          issuer,
          audience: [...audiences],
          algorithms,
          requiredClaims: ["exp"],
          clockTolerance: leewaySeconds,
          currentDate: new Date(clock.now()),
        });
        const user = readUser(payload, { ...options, userClaim });
        // The leeway is for the beginning alone.
        if (user.expiresAt <= clock.now()) throw new ChatError("token_expired");
        return user;
      } catch (thrown) {
        throw refusedBy(thrown, clock.now());
      }
    },

    onKeys(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async start() {
      stopReading ??= clock.every(readEveryMs, () => void read());
      await read();
    },

    stop() {
      stopReading?.();
      stopReading = undefined;
    },
  };
}

/** Algorithms with a public key. A secret as key (HS256) would make the public key a password. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const readEveryMs = 600_000;

interface UserRule {
  readonly app: string;
  readonly issuer: string;
  readonly userClaim: string;
}

function readUser(payload: JWTPayload, { app, issuer, userClaim }: UserRule): VerifiedToken {
  const { exp = 0, iat, jti, aud } = payload;
  const outside = payload[userClaim];
  const user = typeof outside === "string" ? toWireId(outside) : null;
  if (typeof outside !== "string" || user === null || user === systemUser || !isId(app)) {
    throw refusalOf(`${userClaim} is no user id`);
  }
  if (userClaim === "email" && payload["email_verified"] !== true) {
    throw refusalOf("email is not verified by the identity provider");
  }
  return {
    ...{ app, user, admin: false, clientId: null, profile: "compat" },
    tokenId: jti ?? "",
    issuedAt: (iat ?? 0) * 1_000,
    expiresAt: exp * 1_000,
    claims: { iss: issuer, sub: outside, app_id: app, aud, jti, iat, exp },
  };
}

/** Makes the typed error of what the verification threw. */
function refusedBy(thrown: unknown, now: number): ChatError {
  if (thrown instanceof ChatError) return thrown;
  if (thrown instanceof errors.JWTExpired)
    return new ChatError("token_expired", undefined, { cause: thrown });
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason, payload } = thrown;
    if (claim === "nbf" && reason === "check_failed") {
      return notYet("nbf", ((payload.nbf ?? 0) - leewaySeconds) * 1_000 - now);
    }
    return refusalOf(thrown.message);
  }
  return refusalOf(thrown instanceof errors.JOSEError ? thrown.message : "it cannot be verified");
}
