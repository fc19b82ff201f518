import { createHash } from "node:crypto";
import type { Clock, Log, TokenVerifier } from "@chat21/engine";
import { ChatError, limits } from "@chat21/protocol";
import { EarlyTokens } from "./early-tokens.ts";
import { LruMap } from "./lru-map.ts";
import { RefusalLog } from "./refusal-log.ts";
import { RevocationList } from "./revocation-list.ts";
import type { RevocationRecord, RevocationStore } from "./revocation-store.ts";
import { issuerLeewayMs, notYet } from "./tokens.ts";
import type { VerifiedToken } from "./verified-token.ts";
import { type TokenIssuers, verifySigned } from "./verify-signed.ts";

/**
 * Verifies tokens against keys and revocations, and those of an identity provider against its keys. A revocation made by
 * this verifier counts at once; one made by another process counts within `maxAgeMs`. When the store could not be read for
 * that long, `verify` throws `store_unavailable`, so that no revoked token passes. A token whose `iat` is more than 60 s ahead is refused, with
 * `retryAfterMs`, for a user whose tokens were all revoked once.
 */
export interface Verifier extends TokenVerifier {
  verify(token: string): Promise<VerifiedToken>;
  isRevoked: NonNullable<TokenVerifier["isRevoked"]>;
  /**
   * The revocation is durable when this resolves. Repeating it only moves its time forward. Throws `bad_request` for a
   * token whose end is not given, when `limits.revokedTokensPerUser` of its user are revoked.
   */
  revoke(request: RevokeRequest): Promise<void>;
  /**
   * Issue time (ms) for a new token of this user: now. When all tokens of the present second were revoked, it is the
   * next second, because `iat` counts seconds.
   */
  nextIssueAt(app: string, user: string): number;
  /** Verifies every token anew from now on, because the keys have changed. */
  forget(): void;
  /** Calls `listener` for each revocation that is new to this process, so that live sessions can be closed. */
  onRevocation(listener: (record: RevocationRecord) => void): () => void;
  /** Loads the revocations and keeps them fresh in the background. */
  start(): Promise<void>;
  /** Stops the background work. Idempotent. */
  stop(): void;
}

/** Creates a verifier that reads revocations from a store. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { provider, revocations, clock, maxAgeMs = 5_000, cacheSize = 10_000 } = options;
  const list = new RevocationList();
  const verified = new LruMap<string, VerifiedToken>(cacheSize);
  const refusals = options.log === undefined ? undefined : new RefusalLog(options.log, clock);
  const early = new EarlyTokens();
  const listeners = new Set<(record: RevocationRecord) => void>();
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;
  let stopPolling: (() => void) | undefined;

  const learn = (record: RevocationRecord): boolean => {
    const isNew = list.add(record);
    if (isNew) for (const listener of listeners) listener(record);
    return isNew;
  };

  /** Revokes tokens by their ids that a revocation of all until now misses, because they say that they are of later. */
  const revokeEarly = async (missed: readonly VerifiedToken[]): Promise<void> => {
    const records = missed.map(({ app, user, tokenId, expiresAt }) => ({
      ...{ app, user, tokenId, expiresAt, issuedBefore: null },
    }));
    records.forEach(learn);
    await Promise.all(records.map((record) => revocations.add(record)));
  };

  /**
   * Learns what another process has revoked; returns the early tokens that it missed. Only those count that were used until
   * then, and are of later than the next second: that is the one of new tokens, see `nextIssueAt`.
   */
  const learnFromElsewhere = (record: RevocationRecord): readonly VerifiedToken[] => {
    const { issuedBefore } = record;
    if (!learn(record) || issuedBefore === null) return [];
    return early.of(record, issuedBefore, endOfSecond(issuedBefore) + 1_001);
  };

  const load = async (): Promise<void> => {
    const now = clock.now();
    const startedAt = clock.elapsed();
    const records = await revocations.list(now);
    await revokeEarly(records.flatMap(learnFromElsewhere));
    list.prune(now);
    loadedAt = startedAt;
  };

  const refresh = (): Promise<void> => {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  };

  const check = async (token: string): Promise<VerifiedToken> => {
    const key = createHash("sha256").update(token).digest("base64");
    const known = verified.get(key);
    if (known === undefined) {
      const fresh = await verifySigned(options, token);
      verified.set(key, fresh);
      return fresh;
    }
    if (known.expiresAt > clock.now()) return known;
    verified.delete(key);
    throw new ChatError("token_expired");
  };

  /**
   * Revocations go by `iat`. Where all tokens of a user were revoked, one from the future may be older than that, and is
   * refused until its time has come. Elsewhere `iat` decides nothing: the clock may have been set back, and users go on.
   */
  const requireIssued = ({ app, user, issuedAt }: VerifiedToken): void => {
    const waitMs = issuedAt - issuerLeewayMs - clock.now();
    if (waitMs > 0 && list.lastRevokedSecond(app, user) >= 0) throw notYet("iat", waitMs);
  };

  return {
    async verify(token) {
      try {
        const identity = await check(token);
        if (clock.elapsed() - loadedAt > maxAgeMs) await refresh();
        if (list.isRevoked(identity)) throw new ChatError("token_revoked");
        requireIssued(identity);
        early.note(identity, clock.now());
        return identity;
      } catch (thrown) {
        refusals?.note(thrown);
        throw thrown;
      }
    },

    async revoke({ app, user, tokenId, expiresAt = Number.MAX_SAFE_INTEGER }) {
      const isEndless = tokenId !== undefined && expiresAt === Number.MAX_SAFE_INTEGER;
      if (isEndless && list.endlessOf({ app, user }) >= limits.revokedTokensPerUser) {
        if (list.hasToken({ app, user }, tokenId)) return;
        throw new ChatError(
          "bad_request",
          "too many tokens of this user are revoked by their ids: revoke all",
        );
      }
      const record: RevocationRecord = {
        app,
        user,
        tokenId: tokenId ?? null,
        issuedBefore: tokenId === undefined ? endOfSecond(clock.now()) : null,
        expiresAt,
      };
      await revocations.add(record);
      learn(record);
      if (record.issuedBefore !== null)
        await revokeEarly(early.of(record, Number.POSITIVE_INFINITY, record.issuedBefore + 1));
    },

    isRevoked: (token) => list.isRevoked(token),

    forget: () => verified.clear(),

    nextIssueAt: (app, user) => Math.max(clock.now(), (list.lastRevokedSecond(app, user) + 1) * 1_000),

    onRevocation(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async start() {
      provider?.onKeys(() => verified.clear());
      await Promise.all([refresh(), provider?.start()]);
      // The next tick repeats a failed read. `verify` throws once the loaded revocations are too old.
      stopPolling ??= clock.every(maxAgeMs / 2, () => void refresh().catch(() => undefined));
    },

    stop() {
      provider?.stop();
      stopPolling?.();
      stopPolling = undefined;
    },
  };
}

/** Parts and settings of a {@link Verifier}. The identity provider, if any, starts and stops with it. */
export interface VerifierOptions extends TokenIssuers {
  readonly revocations: RevocationStore;
  readonly clock: Pick<Clock, "elapsed" | "every" | "now">;
  /**
   * Greatest age of the loaded revocations. A revocation by another process takes effect within that time. @default
   * 5000
   */
  readonly maxAgeMs?: number;
  /** Gets a line for each refused token, at most ten a minute, with the rule and nothing of the token. @default none */
  readonly log?: Log;
  /** Most verified tokens kept in memory, by hash. @default 10000 */
  readonly cacheSize?: number;
}

/** A revocation: of one token, or of all tokens issued to a user until now. */
export interface RevokeRequest {
  readonly app: string;
  readonly user: string;
  /** `jti`. Absent: revokes every token of the user issued until now, the present second included. */
  readonly tokenId?: string;
  /** Expiry of that token in milliseconds. The record is dropped after it. @default never dropped */
  readonly expiresAt?: number;
}

/** The last millisecond of the current second. `iat` is the beginning of a second, so every token of it lies before. */
function endOfSecond(now: number): number {
  return Math.floor(now / 1_000) * 1_000 + 999;
}
