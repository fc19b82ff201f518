import type { DatabaseSync } from "node:sqlite";
import type { PresenceLease } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";

/** How many leases one call of {@link PresenceWrites.expire} drops: commits wait for it. */
const expireStep = 500;

/** Presence on the connection that writes. */
export interface PresenceWrites {
  renew(leases: readonly PresenceLease[], now: number): boolean[];
  end(app: string, user: string, clientId: string, now: number): { offline: boolean };
  bound(latest: number): void;
  /** `more`: call again. */
  expire(now: number): { readonly gone: { app: string; user: string }[]; readonly more: boolean };
}

/** Works inside the caller's transaction. */
export function createPresenceWrites(database: DatabaseSync, accounts: Accounts): PresenceWrites {
  const unexpired = database.prepare(
    "SELECT 1 FROM presence_lease WHERE account = ? AND expires_at > ? LIMIT 1",
  );
  const put = database.prepare(
    `INSERT INTO presence_lease (account, client_id, expires_at) VALUES (?, ?, ?)
     ON CONFLICT (account, client_id) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`,
  );
  const dropOne = database.prepare("DELETE FROM presence_lease WHERE account = ? AND client_id = ?");
  const dropAll = database.prepare("DELETE FROM presence_lease WHERE account = ?");
  const expired = database.prepare(
    `SELECT account FROM presence_lease WHERE expires_at <= ? LIMIT ${expireStep}`,
  );
  const dropExpired = database.prepare(
    "DELETE FROM presence_lease WHERE account = ? AND expires_at <= ? RETURNING expires_at",
  );
  const see = database.prepare(
    `INSERT INTO last_seen (account, at) VALUES (:account, :at) ON CONFLICT (account)
     DO UPDATE SET at = CASE WHEN at > :now THEN excluded.at ELSE max(at, excluded.at) END`,
  );
  const bound = database.prepare("UPDATE presence_lease SET expires_at = :latest WHERE expires_at > :latest");
  const nameOf = database.prepare("SELECT app, name AS user FROM account WHERE id = ?");
  const isOnline = (account: number, now: number) => unexpired.get(account, now) !== undefined;

  return {
    renew: (leases, now) =>
      leases.map(({ app, user, clientId, expiresAt }) => {
        const account = accounts.intern(app, user);
        const cameOnline = !isOnline(account, now);
        put.run(account, clientId, expiresAt);
        return cameOnline;
      }),
    end(app, user, clientId, now) {
      const account = accounts.find(app, user);
      if (account === null || dropOne.run(account, clientId).changes === 0) return { offline: false };
      if (isOnline(account, now)) return { offline: false };
      dropAll.run(account);
      see.run({ account, at: now, now });
      return { offline: true };
    },
    bound(latest) {
      bound.run({ latest });
    },
    expire(now) {
      const accounts = expired.all(now).map((row) => row["account"] as number);
      const gone: { app: string; user: string }[] = [];
      for (const account of new Set(accounts)) {
        const ends = dropExpired.all(account, now).map((dropped) => dropped["expires_at"] as number);
        if (isOnline(account, now)) continue;
        see.run({ account, at: Math.max(...ends), now });
        const { app, user } = nameOf.get(account) as { app: string; user: string };
        gone.push({ app, user });
      }
      return { gone, more: accounts.length === expireStep };
    },
  };
}
