import type { Identity } from "@chat21/engine";
import type { RevocationRecord } from "./revocation-store.ts";
import { issuerLeewayMs } from "./tokens.ts";

/**
 * The revocations, in memory. Records are removed only when they have run out. A slow read of the store can therefore
 * not bring back a token that was revoked while it ran.
 */
export class RevocationList {
  /** Time at which a record runs out, by key of the token. */
  readonly #tokens = new Map<string, number>();
  /** Number of revoked tokens whose end is not known, by key of the user. These records are never removed. */
  readonly #endless = new Map<string, number>();
  /** Last revoked second, by key of the user; `stated` is the one of the record. */
  readonly #users = new Map<string, UserRevocation>();

  /** Adds a record. Returns whether it revokes anything that was not revoked before. */
  add(record: RevocationRecord): boolean {
    const user = userKey(record.app, record.user);
    if (record.tokenId !== null) {
      const token = tokenKey(user, record.tokenId);
      if (this.#tokens.has(token)) return false;
      this.#tokens.set(token, record.expiresAt);
      if (record.expiresAt === Number.MAX_SAFE_INTEGER) this.#endless.set(user, this.endlessOf(record) + 1);
      return true;
    }
    if (record.issuedBefore === null) return false;
    const second = Math.floor(record.issuedBefore / 1_000);
    const known = this.#users.get(user);
    if (known !== undefined && known.stated >= second) return false;
    this.#users.set(user, { second, stated: second, expiresAt: record.expiresAt });
    return true;
  }

  /**
   * Removes records that have run out. A record from the future was made before the clock was set back: it ends now, or
   * its user would get no valid token until then.
   */
  prune(now: number): void {
    for (const [key, expiresAt] of this.#tokens) if (expiresAt <= now) this.#tokens.delete(key);
    const present = Math.floor(now / 1_000);
    for (const [key, known] of this.#users) {
      if (known.expiresAt <= now) this.#users.delete(key);
      else if (known.second * 1_000 > now + issuerLeewayMs)
        this.#users.set(key, { ...known, second: present });
    }
  }

  isRevoked({ app, user, tokenId, family, issuedAt }: Revocable): boolean {
    const key = userKey(app, user);
    const before = this.#users.get(key);
    if (before !== undefined && Math.floor(issuedAt / 1_000) <= before.second) return true;
    if (family !== undefined && this.#tokens.has(tokenKey(key, family))) return true;
    return tokenId !== "" && this.#tokens.has(tokenKey(key, tokenId));
  }

  /** Revoked tokens of a user whose end is not known. */
  endlessOf({ app, user }: Pick<Revocable, "app" | "user">): number {
    return this.#endless.get(userKey(app, user)) ?? 0;
  }

  hasToken({ app, user }: Pick<Revocable, "app" | "user">, tokenId: string): boolean {
    return this.#tokens.has(tokenKey(userKey(app, user), tokenId));
  }

  /** The last second in which tokens of this user are revoked; -1 when there is none. */
  lastRevokedSecond(app: string, user: string): number {
    return this.#users.get(userKey(app, user))?.second ?? -1;
  }
}

type Revocable = Pick<Identity, "app" | "family" | "issuedAt" | "tokenId" | "user">;

interface UserRevocation {
  readonly second: number;
  readonly stated: number;
  readonly expiresAt: number;
}

// Ids of apps and users hold no space. A token's id may hold anything, so it comes last.
function userKey(app: string, user: string): string {
  return `${app} ${user}`;
}

function tokenKey(user: string, tokenId: string): string {
  return `${user} ${tokenId}`;
}
