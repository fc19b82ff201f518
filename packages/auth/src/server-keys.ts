import { createHash, randomBytes } from "node:crypto";
import type { Clock, Log } from "@chat21/engine";
import { ChatError, isId, systemUser, tokenAudience, toOutsideId, toWireId } from "@chat21/protocol";
import { refusalOf } from "./claims.ts";
import { RefusalLog } from "./refusal-log.ts";
import type { ServerKeyRecord, ServerKeyStore } from "./server-key-store.ts";
import type { VerifiedToken } from "./verified-token.ts";

/**
 * Keys with which backends call REST as an admin of one app. Unlike a token, a key is looked up in the store each time:
 * once it is revoked, no process takes it any more. MQTT takes tokens only.
 */
export interface ServerKeys {
  /**
   * Makes a key. Its text is in this answer only: the store keeps a hash. Throws `ChatError`: `invalid_id` for an app or
   * a user with characters that are not allowed; `bad_request` for an end that is past, or more than 1000 keys in the app.
   */
  create(request: ServerKeyRequest): Promise<{ readonly key: string; readonly record: ServerKeyRecord }>;
  /** Of one app, oldest first. */
  list(app: string): Promise<readonly ServerKeyRecord[]>;
  /** The key is refused everywhere when this resolves. Throws `not_found`. */
  revoke(app: string, id: string): Promise<void>;
  /**
   * Throws `ChatError` `unauthorized` for a key that is unknown or revoked, `token_expired`, or `store_unavailable`. Notes
   * the time of use once an hour, in the background.
   */
  verify(key: string): Promise<VerifiedToken>;
}

/** Facts of a key that is to be made. */
export interface ServerKeyRequest {
  readonly app: string;
  /** As it is outside. */
  readonly user: string;
  /** Milliseconds; `null`: it never expires. @default null */
  readonly expiresAt?: number | null | undefined;
}

const prefix = "c21_";
/** 32 random bytes in base64url. They cannot be guessed, so one round of a fast hash is enough. */
const form = /^c21_[\w-]{43}$/;
const keysPerApp = 1_000;
/** How exact the time of the last use is. */
const usedEveryMs = 60 * 60 * 1_000;

/** Whether somebody means this to be a server key. A JSON Web Token has no such beginning. */
export function looksLikeServerKey(text: string): boolean {
  return text.startsWith(prefix);
}

/** The keys in a store. */
export function createServerKeys({ store, clock, log }: ServerKeysOptions): ServerKeys {
  const refusals = log === undefined ? undefined : new RefusalLog(log, clock);

  async function find(key: string): Promise<ServerKeyRecord> {
    const record = form.test(key) ? await store.find(hashOf(key)) : null;
    if (record === null) throw refusalOf("it is no server key that is known here: it may have been revoked");
    if (record.expiresAt !== null && record.expiresAt <= clock.now()) throw new ChatError("token_expired");
    return record;
  }

  function noteUse({ hash, lastUsedAt }: ServerKeyRecord): void {
    const now = clock.now();
    if (lastUsedAt !== null && Math.abs(now - lastUsedAt) < usedEveryMs) return;
    store.markUsed(hash, now).catch((error: unknown) => {
      log?.warn({ err: error }, "the use of a server key was not noted");
    });
  }

  return {
    async create({ app, user, expiresAt = null }) {
      const wireId = toWireId(user);
      if (!isId(app)) throw new ChatError("invalid_id", "the app's id has a form that is not allowed");
      if (wireId === null || wireId === systemUser) {
        throw new ChatError("invalid_id", "the user's id has a form that is not allowed");
      }
      const now = clock.now();
      if (expiresAt !== null && expiresAt <= now)
        throw new ChatError("bad_request", "the key would have expired");
      if ((await store.list(app)).length >= keysPerApp) {
        throw new ChatError("bad_request", `an app has at most ${keysPerApp} server keys: revoke some first`);
      }
      const key = `${prefix}${randomBytes(32).toString("base64url")}`;
      const id = randomBytes(6).toString("hex");
      const record = {
        hash: hashOf(key),
        id,
        app,
        user: wireId,
        createdAt: now,
        expiresAt,
        lastUsedAt: null,
      };
      await store.add(record);
      return { key, record };
    },

    list: (app) => store.list(app),

    async revoke(app, id) {
      if (!(await store.remove(app, id))) throw new ChatError("not_found", "there is no such server key");
    },

    async verify(key) {
      try {
        const record = await find(key);
        noteUse(record);
        return actorOf(record);
      } catch (thrown) {
        refusals?.note(thrown);
        throw thrown;
      }
    },
  };
}

/** Parts of {@link createServerKeys}. */
export interface ServerKeysOptions {
  readonly store: ServerKeyStore;
  readonly clock: Pick<Clock, "elapsed" | "now">;
  /** Gets a line for each refused key, at most ten a minute, with nothing of the key. @default none */
  readonly log?: Log;
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url");
}

/** Who calls: as if the backend had an admin's token. */
function actorOf({ id, app, user, createdAt, expiresAt }: ServerKeyRecord): VerifiedToken {
  const claims = {
    jti: id,
    sub: toOutsideId(user),
    app_id: app,
    aud: [tokenAudience],
    tiledesk_api_roles: "admin",
    iat: Math.floor(createdAt / 1_000),
    ...(expiresAt === null ? {} : { exp: Math.floor(expiresAt / 1_000) }),
  };
  return {
    ...{
      app,
      user,
      admin: true,
      clientId: null,
      tokenId: id,
      issuedAt: createdAt,
      profile: "compat",
      claims,
    },
    expiresAt: expiresAt ?? Number.MAX_SAFE_INTEGER,
  };
}
