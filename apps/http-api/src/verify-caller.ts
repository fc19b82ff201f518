import { looksLikeServerKey, type ServerKeys, type VerifiedToken, type Verifier } from "@chat21/auth";

/** Tells who calls, by a token or a server key. Throws what `Verifier.verify` and `ServerKeys.verify` throw. */
export function verifyCaller(
  { verifier, serverKeys }: { readonly verifier: Verifier; readonly serverKeys: ServerKeys },
  credential: string,
): Promise<VerifiedToken> {
  return (looksLikeServerKey(credential) ? serverKeys : verifier).verify(credential);
}
