export type { Es256Key, JsonWebKeySet, KeyMaterial, KeySetOptions, PublicJwk } from "./key-set.ts";
export { LineBudget } from "./line-budget.ts";
export { tokenRefusal } from "./refusal-log.ts";
export type { RevocationRecord, RevocationStore } from "./revocation-store.ts";
export type { IssuedToken, IssueRequest, Tokens, TokensOptions } from "./tokens.ts";
export { createTokens } from "./tokens.ts";
export type { VerifiedToken } from "./verified-token.ts";
export type { RevokeRequest, Verifier, VerifierOptions } from "./verifier.ts";
export { createVerifier } from "./verifier.ts";
