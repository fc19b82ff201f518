import { LruMap } from "./lru-map.ts";
import type { VerifiedToken } from "./verified-token.ts";

/** Tokens kept at most. More than a few come only where a clock is wrong. */
const kept = 10_000;

/**
 * The tokens that were used before the time at which they say they were issued: their issuer's clock is ahead. A
 * revocation of all tokens of a user goes by that time, and would miss them.
 */
export class EarlyTokens {
  readonly #seen = new LruMap<string, { readonly token: VerifiedToken; readonly seenAt: number }>(kept);

  /** Notes a token that is used now. One without `jti` cannot be told from others, and is not noted. */
  note(token: VerifiedToken, now: number): void {
    if (token.issuedAt <= now || token.tokenId === "") return;
    const key = `${token.app} ${token.user} ${token.tokenId}`;
    if (this.#seen.get(key) === undefined) this.#seen.set(key, { token, seenAt: now });
  }

  /** Those of a user that were used until `until`, and say that they were issued at `issuedFrom` or later. */
  of({ app, user }: Pick<VerifiedToken, "app" | "user">, until: number, issuedFrom: number): VerifiedToken[] {
    return [...this.#seen.values()]
      .filter(({ token, seenAt }) => seenAt <= until && token.issuedAt >= issuedFrom)
      .map(({ token }) => token)
      .filter((token) => token.app === app && token.user === user);
  }
}
