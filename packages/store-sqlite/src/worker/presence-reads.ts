import type { DatabaseSync } from "node:sqlite";
import type { PresenceLease } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { Row } from "./event-rows.ts";

/** Reads of presence. */
export interface PresenceReads {
  getPresence(app: string, users: readonly string[], now: number): { online: boolean; lastSeen: number }[];
  expiringPresence(before: number, limit: number): PresenceLease[];
  presenceOfClient(clientId: string): PresenceLease[];
}

/**
 * Leases of one client id that are told, at most. A client id is one connection, but others may have left leases under
 * it.
 */
const maxPerClient = 1_000;

function toLease(row: Row): PresenceLease {
  return {
    app: row["app"] as string,
    user: row["user"] as string,
    clientId: row["client_id"] as string,
    expiresAt: row["expires_at"] as number,
  };
}

/** Works inside the caller's snapshot. */
export function createPresenceReads(database: DatabaseSync, accounts: Accounts): PresenceReads {
  const lastLease = database.prepare("SELECT max(expires_at) AS at FROM presence_lease WHERE account = ?");
  const lastSeen = database.prepare("SELECT at FROM last_seen WHERE account = ?");
  const lease = `SELECT a.app, a.name AS user, l.client_id, l.expires_at
    FROM presence_lease l JOIN account a ON a.id = l.account`;
  const expiring = database.prepare(`${lease} WHERE l.expires_at < ? ORDER BY l.expires_at LIMIT ?`);
  const ofClient = database.prepare(`${lease} WHERE l.client_id = ? LIMIT ${maxPerClient}`);
  return {
    expiringPresence: (before, limit) => expiring.all(before, limit).map(toLease),
    presenceOfClient: (clientId) => ofClient.all(clientId).map(toLease),
    getPresence: (app, users, now) =>
      users.map((user) => {
        const account = accounts.find(app, user);
        const leasedTo = Number(lastLease.get(account)?.["at"] ?? 0);
        if (leasedTo > now) return { online: true, lastSeen: now };
        const seen = Math.max(leasedTo, Number(lastSeen.get(account)?.["at"] ?? 0));
        return { online: false, lastSeen: Math.min(now, seen) };
      }),
  };
}
