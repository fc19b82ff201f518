import type { IdentityProvider } from "./identity-provider.ts";
import type { Tokens } from "./tokens.ts";
import type { VerifiedToken } from "./verified-token.ts";

/** Whose tokens count. */
export interface TokenIssuers {
  readonly tokens: Pick<Tokens, "verify">;
  readonly provider?: IdentityProvider | undefined;
}

/**
 * Verifies a token by the keys of the one whom it names as its issuer, and by no others (ADR-0021). Revocation is not checked
 * here. Throws what `Tokens.verify` and `IdentityProvider.verify` throw.
 */
export async function verifySigned(
  { tokens, provider }: TokenIssuers,
  token: string,
): Promise<VerifiedToken> {
  return provider?.isNamedBy(token) ? provider.verify(token) : tokens.verify(token);
}
