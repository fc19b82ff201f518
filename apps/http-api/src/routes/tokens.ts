import type { IssuedToken, IssueRequest, VerifiedToken } from "@chat21/auth";
import {
  ChatError,
  limits,
  type TokenRequest,
  type TokenResponse,
  tokenRequestSchema,
  tokenResponseSchema,
  toOutsideId,
} from "@chat21/protocol";
import * as z from "zod";
import { permits } from "../permits.ts";
import { empty, json } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

/** A token as REST answers it. */
export function tokenResponse({ token, tokenId, user, clientId, expiresAt }: IssuedToken): TokenResponse {
  return { token, token_id: tokenId, user, client_id: clientId, expires_at: expiresAt };
}

/**
 * The token that a caller may have. Admins may have any token for any user. All others renew their own, never with more
 * rights: they get strict tokens only, and the holder of a strict token keeps its client id or gets a random one,
 * because the scopes of a chosen one could open another user's queue.
 */
function allowed(actor: VerifiedToken, user: string, request: TokenRequest): IssueRequest {
  const { ttl, profile, client_id: clientId } = request;
  if (!actor.admin) {
    if (profile === "compat") throw new ChatError("forbidden", "only an admin may issue compat tokens");
    const isBound = actor.clientId !== null;
    if (isBound && clientId !== undefined && clientId !== actor.clientId) {
      throw new ChatError("forbidden", "a renewal keeps its client id, or leaves it out to get a new one");
    }
  }
  return {
    app: actor.app,
    user: toOutsideId(user),
    ...(profile === undefined ? {} : { profile }),
    ...(ttl === undefined ? {} : { ttlMs: ttl * 1_000 }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(actor.admin || actor.tokenId === "" ? {} : { family: actor.family ?? actor.tokenId }),
  };
}

/**
 * Renewals of a revoked token live on for at most so long: the longest life of a strict token, and some minutes for
 * processes that hear of the revocation late. A record that ended with the token itself would let them go.
 */
const renewedLifeMs = limits.strictTokenTtlMs + 5 * 60_000;

const keySet = z
  .object({ keys: z.array(z.looseObject({ kid: z.string() })) })
  .meta({ id: "KeySet", description: "JSON Web Key Set (RFC 7517)." });
const keySetAnswer = { 200: { description: "Public keys, newest first.", schema: keySet } };

/** Tokens: issue, renew, revoke, and the keys to verify them with. */
export const tokenRoutes: readonly Route[] = [
  defineRoute({
    id: "issueToken",
    api: "v1",
    method: "post",
    path: "/v1/{app}/users/{user}/tokens",
    who: "self",
    needs: "everything",
    summary: "Issues a token: for anybody by an admin, for oneself as a renewal.",
    body: tokenRequestSchema,
    example: { body: { ttl: 600 } },
    answers: { 201: { description: "The token.", schema: tokenResponseSchema } },
    handle({ actor, params, body }, { tokens, verifier }) {
      const request = allowed(actor, params.user, body);
      const issued = tokens.issue({ ...request, issuedAt: verifier.nextIssueAt(params.app, params.user) });
      return json(201, tokenResponse(issued));
    },
  }),
  defineRoute({
    id: "revokeTokens",
    api: "v1",
    method: "post",
    path: "/v1/{app}/users/{user}/tokens/revoke",
    who: "self",
    needs: "nothing",
    summary:
      "Revokes one token by its id, or every token of the user issued until now. Live connections are closed.",
    body: z.strictObject({ token_id: z.optional(z.string().min(1).max(256)) }).meta({ id: "Revocation" }),
    example: { body: { token_id: "6f1c0f7e-2b5a-4f0e-9a53-0d3f0b0f7c11" } },
    answers: { 204: { description: "Revoked." } },
    async handle({ actor, params, body }, { clock, verifier }) {
      const { app, user } = params;
      const { token_id: tokenId } = body;
      const isOwn = tokenId !== undefined && tokenId === actor.tokenId && user === actor.user;
      // Every token may end itself.
      if (!isOwn && !permits(actor, "write"))
        throw new ChatError("forbidden", "the token's scopes do not cover this");
      await verifier.revoke({
        app,
        user,
        ...(tokenId === undefined ? {} : { tokenId }),
        ...(isOwn ? { expiresAt: Math.max(actor.expiresAt, clock.now() + renewedLifeMs) } : {}),
      });
      return empty(204);
    },
  }),
  defineRoute({
    id: "getKeySet",
    api: "v1",
    method: "get",
    path: "/.well-known/jwks.json",
    at: "root",
    who: "public",
    summary: "The public keys that tokens verify with (RFC 7517).",
    answers: keySetAnswer,
    handle: (_request, { tokens }) => json(200, tokens.jwks, { "cache-control": "public, max-age=300" }),
  }),
  defineRoute({
    id: "getAppKeySet",
    api: "v1",
    method: "get",
    path: "/v1/{app}/jwks",
    who: "public",
    summary: "The same keys; they are shared by all apps.",
    answers: keySetAnswer,
    handle: (_request, { tokens }) => json(200, tokens.jwks, { "cache-control": "public, max-age=300" }),
  }),
];
