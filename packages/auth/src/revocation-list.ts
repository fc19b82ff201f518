import type { Identity } from "@chat21/engine";
import type { RevocationRecord } from "./revocation-store.ts";

/**
 * What is revoked, in memory. Only grows, but for records that ran out: a slow read of the store can therefore not
 * bring back a token that was revoked meanwhile.
 */
export class RevocationList {
  /** Key of a token to when its record runs out. */
  readonly #tokens = new Map<string, number>();
  /** Key of a user to the last revoked second. */
  readonly #users = new Map<string, { readonly second: number; readonly expiresAt: number }>();

  /** Adds a record; answers whether it says anything new. */
  add(record: RevocationRecord): boolean {
    const user = userKey(record.app, record.user);
    if (record.tokenId !== null) {
      const token = tokenKey(user, record.tokenId);
      if (this.#tokens.has(token)) return false;
      this.#tokens.set(token, record.expiresAt);
      return true;
    }
    if (record.issuedBefore === null) return false;
    const second = Math.floor(record.issuedBefore / 1_000);
    const known = this.#users.get(user);
    if (known !== undefined && known.second >= second) return false;
    this.#users.set(user, { second, expiresAt: record.expiresAt });
    return true;
  }

  /** Forgets records that have no effect any more. */
  prune(now: number): void {
    for (const [key, expiresAt] of this.#tokens) if (expiresAt <= now) this.#tokens.delete(key);
    for (const [key, { expiresAt }] of this.#users) if (expiresAt <= now) this.#users.delete(key);
  }

  isRevoked({ app, user, tokenId, issuedAt }: Identity): boolean {
    const key = userKey(app, user);
    const before = this.#users.get(key);
    if (before !== undefined && Math.floor(issuedAt / 1_000) <= before.second) return true;
    return tokenId !== "" && this.#tokens.has(tokenKey(key, tokenId));
  }

  /** The last second whose tokens of that user are revoked; -1 when there is none. */
  lastRevokedSecond(app: string, user: string): number {
    return this.#users.get(userKey(app, user))?.second ?? -1;
  }
}

// A space is in no id; a token's id, which may hold anything, comes last.
function userKey(app: string, user: string): string {
  return `${app} ${user}`;
}

function tokenKey(user: string, tokenId: string): string {
  return `${user} ${tokenId}`;
}
