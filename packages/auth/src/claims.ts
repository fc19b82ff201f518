import {
  ChatError,
  type Claims,
  claimsSchema,
  isId,
  limits,
  readScopes,
  systemUser,
  tokenAudience,
  toWireId,
} from "@chat21/protocol";
import type { VerifiedToken } from "./verified-token.ts";

/** Writes the claims of a token, in the form and order of existing issuers, and adds `profile` and, to a renewed token, `fam`. */
export function buildClaims(input: ClaimsInput): Claims {
  const { user } = input;
  return {
    jti: input.tokenId,
    sub: user,
    scope: [...input.scope],
    client_id: input.profile === "strict" ? input.clientId : user,
    cid: user,
    azp: user,
    user_id: user,
    app_id: input.app,
    iat: Math.floor(input.issuedAt / 1_000),
    exp: Math.floor(input.expiresAt / 1_000),
    aud: [tokenAudience, user],
    // Existing tokens carry this claim, and nobody reads it. The name of the real key stands in the header.
    kid: "tiledesk-key",
    tiledesk_api_roles: input.admin ? adminRole : "user",
    profile: input.profile,
    ...(input.family === undefined ? {} : { fam: input.family }),
  };
}

/** The facts of a token. Times are milliseconds. */
export interface ClaimsInput {
  readonly tokenId: string;
  readonly app: string;
  /** As it is outside. */
  readonly user: string;
  readonly admin: boolean;
  readonly profile: "strict" | "compat";
  /** MQTT client id of a strict token. */
  readonly clientId: string;
  readonly scope: readonly string[];
  /** `jti` of the first token of its renewals. */
  readonly family?: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Reads who a token belongs to. Signature and times must have been checked before. Throws `unauthorized`. */
export function readClaims(payload: unknown): VerifiedToken {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw refusalOf("a claim is missing or has another type than expected");
  const claims = parsed.data;
  const admin = hasAdminRole(claims);
  const profile = claims.profile ?? "compat";
  const user = toWireId(claims.sub);
  if (user === null || !isId(claims.app_id)) throw refusalOf("sub or app_id is no id");
  if (user === systemUser && !admin) throw refusalOf(`sub is ${systemUser}, without the role ${adminRole}`);
  if (!isForUs(claims)) throw refusalOf(`aud does not name ${tokenAudience}`);
  if (profile === "strict" && !isStrict(claims)) {
    throw refusalOf("a strict token needs client_id, iat, and an exp at most an hour later");
  }
  return {
    app: claims.app_id,
    user,
    admin,
    clientId: profile === "strict" ? (claims.client_id ?? null) : null,
    tokenId: claims.jti ?? "",
    family: typeof claims.fam === "string" ? claims.fam : undefined,
    issuedAt: (claims.iat ?? 0) * 1_000,
    expiresAt: claims.exp === undefined ? Number.MAX_SAFE_INTEGER : claims.exp * 1_000,
    profile,
    scopes: readScopes(claims.scope),
    claims,
  };
}

/** The refusal that clients see, with the rule that failed as its cause. The rule never repeats what a token says. */
export function refusalOf(rule: string): ChatError {
  return new ChatError("unauthorized", undefined, { cause: new Error(rule) });
}

const adminRole = "admin";

function hasAdminRole({ tiledesk_api_roles: roles }: Claims): boolean {
  return typeof roles === "string" ? roles === adminRole : (roles ?? []).includes(adminRole);
}

function isForUs({ aud }: Claims): boolean {
  return aud === undefined || aud === tokenAudience || (Array.isArray(aud) && aud.includes(tokenAudience));
}

/** A strict token must keep the promises of its profile, even when another issuer signed it. */
function isStrict({ client_id, iat, exp }: Claims): boolean {
  if (!isId(client_id) || iat === undefined || exp === undefined) return false;
  return (exp - iat) * 1_000 <= limits.strictTokenTtlMs;
}
