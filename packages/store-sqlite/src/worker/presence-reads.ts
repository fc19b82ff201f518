import type { DatabaseSync } from "node:sqlite";
import type { Accounts } from "./accounts.ts";

/** Reads of presence. */
export interface PresenceReads {
  getPresence(app: string, users: readonly string[], now: number): { online: boolean; lastSeen: number }[];
}

/** Works inside the caller's snapshot. */
export function createPresenceReads(database: DatabaseSync, accounts: Accounts): PresenceReads {
  const lastLease = database.prepare("SELECT max(expires_at) AS at FROM presence_lease WHERE account = ?");
  const lastSeen = database.prepare("SELECT at FROM last_seen WHERE account = ?");
  return {
    getPresence: (app, users, now) =>
      users.map((user) => {
        const account = accounts.find(app, user);
        const leasedTo = Number(lastLease.get(account)?.["at"] ?? 0);
        if (leasedTo > now) return { online: true, lastSeen: now };
        return { online: false, lastSeen: Math.max(leasedTo, Number(lastSeen.get(account)?.["at"] ?? 0)) };
      }),
  };
}
