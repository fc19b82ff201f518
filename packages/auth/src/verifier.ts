import { createHash } from "node:crypto";
import type { Clock, TokenVerifier } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { LruMap } from "./lru-map.ts";
import { RevocationList } from "./revocation-list.ts";
import type { RevocationRecord, RevocationStore } from "./revocation-store.ts";
import type { Tokens } from "./tokens.ts";
import type { VerifiedToken } from "./verified-token.ts";

/** What a verifier is made of. */
export interface VerifierOptions {
  readonly tokens: Pick<Tokens, "verify">;
  readonly revocations: RevocationStore;
  readonly clock: Pick<Clock, "every" | "now">;
  /** Oldest state of the store that may decide; a revocation elsewhere has its effect within that time. @default 5000 */
  readonly maxAgeMs?: number;
  /** Verified tokens kept in memory, by hash. @default 10000 */
  readonly cacheSize?: number;
}

/** What to revoke: one token, or everything a user was given until now. */
export interface RevokeRequest {
  readonly app: string;
  readonly user: string;
  /** `jti`. Absent: every token of the user issued until now, the present second included. */
  readonly tokenId?: string;
  /** When that token would have expired, milliseconds, so that the record can be dropped. @default never dropped */
  readonly expiresAt?: number;
}

/**
 * Verifies tokens against keys and revocations. A revocation made here counts at once, one made by another process
 * within `maxAgeMs`. When the store cannot be read for that long, `verify` throws `store_unavailable` rather than let
 * a revoked token pass.
 */
export interface Verifier extends TokenVerifier {
  verify(token: string): Promise<VerifiedToken>;
  /** Durable when it resolves. Doing it again changes nothing but the moment. */
  revoke(request: RevokeRequest): Promise<void>;
  /**
   * When a token given to that user now has to be issued (ms): the present, or right after a second whose tokens were
   * all revoked, because `iat` counts seconds.
   */
  nextIssueAt(app: string, user: string): number;
  /** Calls `listener` for each revocation that is new to this process, so that live sessions can be closed. */
  onRevocation(listener: (record: RevocationRecord) => void): () => void;
  /** Loads the revocations and keeps them fresh in the background. */
  start(): Promise<void>;
  /** Ends the background work. Idempotent. */
  stop(): void;
}

/** Binds verification to the store of revocations. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { tokens, revocations, clock, maxAgeMs = 5_000, cacheSize = 10_000 } = options;
  const list = new RevocationList();
  const verified = new LruMap<string, VerifiedToken>(cacheSize);
  const listeners = new Set<(record: RevocationRecord) => void>();
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;
  let stopPolling: (() => void) | undefined;

  const learn = (record: RevocationRecord): void => {
    if (list.add(record)) for (const listener of listeners) listener(record);
  };

  const load = async (): Promise<void> => {
    const now = clock.now();
    const records = await revocations.list(now);
    list.prune(now);
    records.forEach(learn);
    loadedAt = now;
  };

  const refresh = (): Promise<void> => {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  };

  const check = (token: string): VerifiedToken => {
    const key = createHash("sha256").update(token).digest("base64");
    const known = verified.get(key);
    if (known === undefined) {
      const fresh = tokens.verify(token);
      verified.set(key, fresh);
      return fresh;
    }
    if (known.expiresAt > clock.now()) return known;
    verified.delete(key);
    throw new ChatError("token_expired");
  };

  return {
    async verify(token) {
      const identity = check(token);
      if (clock.now() - loadedAt > maxAgeMs) await refresh();
      if (list.isRevoked(identity)) throw new ChatError("token_revoked");
      return identity;
    },

    async revoke({ app, user, tokenId, expiresAt = Number.MAX_SAFE_INTEGER }) {
      const record: RevocationRecord = {
        app,
        user,
        tokenId: tokenId ?? null,
        issuedBefore: tokenId === undefined ? endOfSecond(clock.now()) : null,
        expiresAt,
      };
      await revocations.add(record);
      learn(record);
    },

    nextIssueAt: (app, user) => Math.max(clock.now(), (list.lastRevokedSecond(app, user) + 1) * 1_000),

    onRevocation(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async start() {
      await refresh();
      // A failed read is told by `verify` once the state is too old; the next tick tries again.
      stopPolling ??= clock.every(maxAgeMs / 2, () => void refresh().catch(() => undefined));
    },

    stop() {
      stopPolling?.();
      stopPolling = undefined;
    },
  };
}

/** The last millisecond of a second: tokens issued within it say its beginning, so all of them are before it. */
function endOfSecond(now: number): number {
  return Math.floor(now / 1_000) * 1_000 + 999;
}
