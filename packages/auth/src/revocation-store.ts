import type { SessionSelector } from "@chat21/engine";

/** Which tokens are no longer good. Exactly one of `tokenId` and `issuedBefore` is set. */
export interface RevocationRecord {
  readonly app: string;
  readonly user: string;
  /** `jti` of one token. */
  readonly tokenId: string | null;
  /** Milliseconds: every token of the user issued before (or in the same second as) it. */
  readonly issuedBefore: number | null;
  /** Milliseconds after which the record has no effect and may be dropped. */
  readonly expiresAt: number;
}

type RevokedSessions = Required<Pick<SessionSelector, "app" | "user">> &
  Pick<SessionSelector, "issuedBefore" | "tokenId">;

/** The sessions that a revocation ends. */
export function sessionsOf({ app, user, tokenId, issuedBefore }: RevocationRecord): RevokedSessions {
  return {
    ...{ app, user },
    ...(tokenId === null ? {} : { tokenId }),
    ...(issuedBefore === null ? {} : { issuedBefore }),
  };
}

/** Revoked tokens, kept as durably as events are: errors and promises are those of the engine's `Store`. */
export interface RevocationStore {
  add(revocation: RevocationRecord): Promise<void>;
  /** All that still have an effect at `now`. */
  list(now: number): Promise<readonly RevocationRecord[]>;
}
