import type { Clock, Log } from "@chat21/engine";
import { ChatError, isId, systemUser, toWireId } from "@chat21/protocol";
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type RemoteJWKSet,
} from "jose";
import { refusalOf } from "./claims.ts";
import { type FetchPart, fetchBounded } from "./fetch-bounded.ts";
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
   * that failed as `cause`, for the operator alone; `unauthorized` with `retryAfterMs` for a token that is not valid yet;
   * `timeout` when a key is not known and the provider does not answer.
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
  const listeners = new Set<() => void>();
  let keys: RemoteJWKSet | undefined;
  let opening: Promise<RemoteJWKSet> | undefined;
  let known = "";
  let failedAt = Number.NEGATIVE_INFINITY;
  let stopReloading: (() => void) | undefined;

  /** Asks the provider, and leaves one that failed in peace for a while: anybody can send tokens with unknown keys. */
  const ask = async (url: string, signal?: AbortSignal): Promise<Response> => {
    if (clock.elapsed() - failedAt < restAfterFailureMs) throw new Error("it did not answer a moment ago");
    try {
      return await fetchBounded(options.fetch, url, { timeoutMs, maxBytes: keySetBytes, signal });
    } catch (thrown) {
      failedAt = clock.elapsed();
      throw thrown;
    }
  };

  const open = async (): Promise<RemoteJWKSet> => {
    const url = options.jwksUrl ?? (await discoverKeys(issuer, ask));
    return createRemoteJWKSet(new URL(url), {
      // Keys stay known while the provider is away. `reload` below brings new ones.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: cooldownMs,
      timeoutDuration: timeoutMs,
      [customFetch]: (address, { signal }) => ask(address, signal),
    });
  };

  const openOnce = (): Promise<RemoteJWKSet> => {
    opening ??= open()
      .then((opened) => {
        keys = opened;
        return opened;
      })
      .finally(() => {
        opening = undefined;
      });
    return keys === undefined ? opening : Promise.resolve(keys);
  };

  const reload = async (): Promise<void> => {
    try {
      const set = keys ?? (await openOnce());
      await set.reload();
      const now = JSON.stringify(set.jwks()?.keys.map(({ kid, n, x, y }) => [kid, n, x, y]));
      if (known !== "" && now !== known) for (const listener of listeners) listener();
      known = now;
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
        const { payload } = await jwtVerify(token, keys ?? (await openOnce()), {
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
      stopReloading ??= clock.every(reloadEveryMs, () => void reload());
      await reload();
    },

    stop() {
      stopReloading?.();
      stopReloading = undefined;
    },
  };
}

/** Algorithms with a public key. A secret as key (HS256) would make the public key a password. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
/** Longest wait for an answer of the provider. Two of them fit into the time that a CONNECT has. */
const timeoutMs = 3_000;
/** Shortest time between two readings that tokens with unknown keys cause. */
const cooldownMs = 30_000;
const restAfterFailureMs = 5_000;
const reloadEveryMs = 600_000;
/** Largest answer of the provider that is read. */
const keySetBytes = 256 * 1_024;

/** Finds the key set (OpenID Connect Discovery 1.0, section 4). */
async function discoverKeys(issuer: string, ask: (url: string) => Promise<Response>): Promise<string> {
  const answer = await ask(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const found = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (found?.issuer !== issuer) throw new Error("its configuration is of another issuer");
  if (typeof found.jwks_uri !== "string" || !isSafeAddress(found.jwks_uri)) {
    throw new Error("its configuration names no https address of keys");
  }
  return found.jwks_uri;
}

/** Whether nobody on the way can change what is read there: https, or this machine itself. */
export function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return (
    protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(hostname))
  );
}

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
  if (thrown instanceof errors.JWKSNoMatchingKey) {
    return refusalOf("its kid names no key of the identity provider");
  }
  const isTokens =
    thrown instanceof errors.JOSEError &&
    !(
      thrown instanceof errors.JWKSTimeout ||
      thrown instanceof errors.JWKSInvalid ||
      thrown.code === "ERR_JOSE_GENERIC"
    );
  if (isTokens) return refusalOf(thrown.message);
  const cause = new Error(
    `the identity provider does not answer: ${thrown instanceof Error ? thrown.message : ""}`,
  );
  return new ChatError("timeout", "the identity provider does not answer", {
    cause,
    retryAfterMs: restAfterFailureMs,
  });
}
