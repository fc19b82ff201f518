import type { Clock } from "@chat21/engine";
import { ChatError, isId, limits, serviceScopes, systemUser, toWireId, userScopes } from "@chat21/protocol";
import jwt from "jsonwebtoken";
import { buildClaims, readClaims, refusalOf } from "./claims.ts";
import { createKeySet, type JsonWebKeySet, type KeySetOptions } from "./key-set.ts";
import type { VerifiedToken } from "./verified-token.ts";

/** Issues tokens and checks them. Revocation is not checked here: see `createVerifier`. */
export interface Tokens {
  /**
   * Throws `ChatError`: `invalid_id` for an id with characters that are not allowed and for `system` without `admin`;
   * `bad_request` for a life that the profile does not allow.
   */
  issue(request: IssueRequest): IssuedToken;
  /**
   * Checks signature, times, audience and ids. The key fixes the algorithm. `nbf` may be up to 60 s in the future, for an
   * issuer whose clock is ahead. Throws `ChatError` `unauthorized` or `token_expired`, with the rule that failed as
   * `cause`, for the operator alone; and `unauthorized` with `retryAfterMs` for a token that is not valid yet.
   */
  verify(token: string): VerifiedToken;
  /** Public keys, newest first. */
  readonly jwks: JsonWebKeySet;
  /**
   * Signs and verifies with these keys from now on. Throws a plain `Error` for a key that cannot be used, and then
   * keeps the ones from before. A verifier of these tokens must forget what it verified: see `Verifier.forget`.
   */
  replaceKeys(keys: KeySetOptions): void;
}

/** Creates tokens with the given keys. Throws a plain `Error` for a key that cannot be used. */
export function createTokens({ clock, newId, acceptWithoutExp = false, ...keys }: TokensOptions): Tokens {
  let keySet = createKeySet(keys);

  return {
    get jwks() {
      return keySet.jwks;
    },

    replaceKeys(given) {
      keySet = createKeySet(given);
    },

    issue(request) {
      const { app, user, admin = false, profile = "strict" } = request;
      const wireId = requireUser(user, admin);
      const clientId = request.clientId ?? newId();
      requireIds(app, clientId);
      const issuedAt = wholeSeconds(request.issuedAt ?? clock.now());
      const expiresAt = issuedAt + lifeOf(request, admin, profile);
      const scope = scopeOf(app, wireId, admin, profile, clientId);
      const tokenId = newId();
      const claims = buildClaims({
        tokenId,
        app,
        user,
        admin,
        profile,
        clientId,
        scope,
        family: request.family,
        issuedAt,
        expiresAt,
      });
      const { algorithm, key, kid } = keySet.signing;
      const token = jwt.sign(claims, key, { algorithm, ...(kid === undefined ? {} : { keyid: kid }) });
      return { token, tokenId, app, user, profile, clientId, issuedAt, expiresAt };
    },

    verify(token) {
      if (token.length > tokenBytes) throw refusalOf(`it is longer than ${tokenBytes} bytes`);
      try {
        const header = jwt.decode(token, { complete: true })?.header;
        // `crit` lists extensions that a verifier must understand. We know none.
        const found = header === undefined || "crit" in header ? undefined : keySet.find(header);
        if (found === undefined) throw refusalOf(whyNoKey(header));
        const clockTimestamp = Math.floor(clock.now() / 1_000);
        const checks = { algorithms: [found.algorithm], clockTimestamp, ignoreNotBefore: true };
        const payload = jwt.verify(token, found.key, checks);
        requireBegun(payload, clockTimestamp);
        const verified = readClaims(payload);
        if (verified.claims.exp === undefined && !acceptWithoutExp) {
          throw refusalOf("exp is missing, and such a token would never end");
        }
        return verified;
      } catch (thrown) {
        if (thrown instanceof ChatError) throw thrown;
        const expired = thrown instanceof jwt.TokenExpiredError;
        throw new ChatError(expired ? "token_expired" : "unauthorized", undefined, { cause: thrown });
      }
    },
  };
}

/** How far an issuer's clock may be ahead of ours. */
export const leewaySeconds = 60;
/** The same in milliseconds. */
export const issuerLeewayMs = leewaySeconds * 1_000;

/** RFC 7519, section 4.1.5. */
function requireBegun(payload: string | jwt.JwtPayload, nowSeconds: number): void {
  const notBefore = typeof payload === "string" ? undefined : payload.nbf;
  if (notBefore === undefined) return;
  if (!Number.isFinite(notBefore)) throw refusalOf("nbf is no number");
  const waitSeconds = notBefore - leewaySeconds - nowSeconds;
  if (waitSeconds > 0) throw notYet("nbf", waitSeconds * 1_000);
}

/** The refusal of a token from the future, which clients may try again. */
export function notYet(claim: "iat" | "nbf", retryAfterMs: number): ChatError {
  return new ChatError("unauthorized", "the token is not valid yet", {
    cause: new Error(`${claim} is more than ${leewaySeconds} s ahead of this machine's clock`),
    retryAfterMs,
  });
}

function whyNoKey(header: jwt.JwtHeader | undefined): string {
  if (header === undefined) return "it is not a JSON Web Token";
  if ("crit" in header) return "its header has crit, and no extension is known here";
  return header.alg === "ES256"
    ? "its kid names no key that is known here"
    : "its algorithm is not one of the keys here";
}

/** Keys, clock and ids of {@link Tokens}. */
export interface TokensOptions extends KeySetOptions {
  readonly clock: Pick<Clock, "now">;
  /** Returns a new random UUID. */
  readonly newId: () => string;
  /** Accepts tokens of other issuers that have no `exp` and so never end (RFC 7519, 4.1.4). @default false */
  readonly acceptWithoutExp?: boolean;
}

/** The facts of a token that is to be issued. */
export interface IssueRequest {
  readonly app: string;
  /** As it is outside: `auth0|5f7c`. */
  readonly user: string;
  /** The token may act for every user of the app. @default false */
  readonly admin?: boolean;
  /**
   * `strict`: the user's own topics and queues only, one client id, at most one hour. `compat`: the form of existing
   * issuers, at most 30 days. `compat` with `admin`: a backend's token with every scope, at most ten years.
   * @default "strict"
   */
  readonly profile?: "strict" | "compat";
  /** Time until the token expires. @default one hour (strict), one day (compat) */
  readonly ttlMs?: number;
  /** MQTT client id of a strict token. @default a random UUID */
  readonly clientId?: string;
  /** The token is a renewal: `tokenId` of the first of its family, whose revocation ends this one too. @default none */
  readonly family?: string | undefined;
  /** Milliseconds; see `Verifier.nextIssueAt`. @default now */
  readonly issuedAt?: number;
}

/** A new token and its facts. Times are milliseconds, rounded down to whole seconds. */
export interface IssuedToken {
  readonly token: string;
  readonly tokenId: string;
  readonly app: string;
  readonly user: string;
  readonly profile: "strict" | "compat";
  /** MQTT client id. A strict token works with this one only; for a compat token it is a suggestion. */
  readonly clientId: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Longest token, in bytes. A longer one is refused unread. */
export const tokenBytes = 8 * 1024;

/** Longest life of a backend's token: ten years, as in existing deployments. */
const serviceTokenTtlMs = 10 * 366 * 24 * 60 * 60 * 1_000;

/** The user's id on the wire. */
function requireUser(user: string, admin: boolean): string {
  const wireId = toWireId(user);
  if (wireId === null) throw new ChatError("invalid_id", "the user's id has a form that is not allowed");
  if (user === systemUser && !admin)
    throw new ChatError("invalid_id", `only an admin token may be for the user "${systemUser}"`);
  return wireId;
}

function requireIds(app: string, clientId: string): void {
  if (!isId(app)) throw new ChatError("invalid_id", "the app's id has a form that is not allowed");
  if (!isId(clientId)) throw new ChatError("invalid_id", "the client id has a form that is not allowed");
}

function lifeOf({ ttlMs }: IssueRequest, admin: boolean, profile: "strict" | "compat"): number {
  const serviceOrCompat = admin ? serviceTokenTtlMs : limits.compatTokenTtlMs;
  const longest = profile === "strict" ? limits.strictTokenTtlMs : serviceOrCompat;
  const life = ttlMs ?? (profile === "strict" ? limits.strictTokenTtlMs : 24 * 60 * 60 * 1_000);
  if (!(life >= 1_000 && life <= longest)) {
    throw new ChatError("bad_request", `a ${profile} token must live 1-${longest / 1_000} seconds`);
  }
  return wholeSeconds(life);
}

function scopeOf(app: string, user: string, admin: boolean, profile: "strict" | "compat", clientId: string) {
  if (profile === "strict") return userScopes(app, user, clientId);
  return admin ? serviceScopes : userScopes(app, user);
}

function wholeSeconds(durationMs: number): number {
  return Math.floor(durationMs / 1_000) * 1_000;
}
