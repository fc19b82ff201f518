import type { RevocationStore, ServerKeyStore } from "@chat21/auth";
import type { Log, PresenceStore } from "@chat21/engine";
import type { InstanceStore, UserStore } from "@chat21/people";
import { emptyLog } from "./checkpoints.ts";
import type { Read, Write } from "./worker-calls.ts";

/** How often revocations without effect are removed. */
const pruneIntervalMs = 60 * 60 * 1_000;

/** Revocations are kept so much longer than their tokens live: a clock that was days ahead must not bring back any. */
const forgetAfterMs = 7 * 24 * 60 * 60 * 1_000;

/** Users. */
export function createSqliteUsers(write: Write, read: Read, log: Log | undefined): UserStore {
  return {
    put: (user) => write("putUser", user),
    get: (app, id) => read("getUser", app, id),
    list: (app, limit, after) => read("listUsers", app, limit, after),
    delete: (app, id) => write("deleteUser", app, id),
    async erase(app, id) {
      const erased = await write("eraseUser", app, id);
      await emptyLog(write, log);
      return erased;
    },
  };
}

/** Revoked tokens. */
export function createSqliteRevocations(write: Write, read: Read, log: Log | undefined): RevocationStore {
  let lastPrune = Number.NEGATIVE_INFINITY;
  return {
    add: (revocation) => write("addRevocation", revocation),
    list(now) {
      if (performance.now() - lastPrune >= pruneIntervalMs) {
        lastPrune = performance.now();
        // By both clocks: a caller that looks into the future must not remove revocations that still have an effect.
        write("pruneRevocations", Math.min(now, Date.now()) - forgetAfterMs).catch((error) =>
          log?.warn({ err: error }, "revocations were not pruned"),
        );
      }
      return read("listRevocations", now);
    },
  };
}

/** Push registrations. */
export function createSqliteInstances(write: Write, read: Read): InstanceStore {
  return {
    put: (instance) => write("putInstance", instance),
    list: (app, user) => read("listInstances", app, user),
  };
}

/** Leases and when people were last seen. */
export function createSqlitePresence(write: Write, read: Read): PresenceStore {
  return {
    renew: (leases, now) => write("renewPresence", leases, now),
    bound: (latest) => write("boundPresence", latest),
    end: (app, user, clientId, now) => write("endPresence", app, user, clientId, now),
    get: (app, users, now) => read("getPresence", app, users, now),
    expiring: (before, limit) => read("expiringPresence", before, limit),
    ofClient: (clientId) => read("presenceOfClient", clientId),
    async expire(now) {
      const gone: { app: string; user: string }[] = [];
      for (let more = true; more; ) {
        const step = await write("expirePresence", now);
        gone.push(...step.gone);
        more = step.more;
      }
      return gone;
    },
  };
}

/** Keys of backends. */
export function createSqliteServerKeys(write: Write, read: Read): ServerKeyStore {
  return {
    add: (key) => write("addServerKey", key),
    find: (hash) => read("findServerKey", hash),
    list: (app) => read("listServerKeys", app),
    markUsed: (hash, at) => write("markServerKeyUsed", hash, at),
    remove: (app, id) => write("removeServerKey", app, id),
  };
}
