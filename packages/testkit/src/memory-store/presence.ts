import type { PresenceLease, PresenceStore } from "@chat21/engine";
import { keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";

/** Leases of one client id in an answer, at most. */
const maxPerClient = 1_000;

function leasesOf(disk: MemoryDisk, app: string, user: string): PresenceLease[] {
  return [...disk.leases.values()].filter((lease) => lease.app === app && lease.user === user);
}

function isOnline(disk: MemoryDisk, app: string, user: string, now: number): boolean {
  return leasesOf(disk, app, user).some(({ expiresAt }) => expiresAt > now);
}

function drop(disk: MemoryDisk, leases: readonly PresenceLease[]): void {
  for (const { app, user, clientId } of leases) disk.leases.delete(keyOf(app, user, clientId));
}

function renewLease(disk: MemoryDisk, lease: PresenceLease, now: number): boolean {
  const cameOnline = !isOnline(disk, lease.app, lease.user, now);
  const key = keyOf(lease.app, lease.user, lease.clientId);
  const expiresAt = Math.max(lease.expiresAt, disk.leases.get(key)?.expiresAt ?? 0);
  disk.leases.set(key, { ...lease, expiresAt });
  return cameOnline;
}

function endLease(disk: MemoryDisk, app: string, user: string, clientId: string, now: number) {
  const existed = disk.leases.delete(keyOf(app, user, clientId));
  if (!existed || isOnline(disk, app, user, now)) return { offline: false };
  drop(disk, leasesOf(disk, app, user));
  disk.lastSeen.set(keyOf(app, user), now);
  return { offline: true };
}

function expireLeases(disk: MemoryDisk, now: number) {
  const expired = [...disk.leases.values()].filter(({ expiresAt }) => expiresAt <= now);
  drop(disk, expired);
  const gone = new Map<string, { app: string; user: string }>();
  for (const { app, user, expiresAt } of expired) {
    if (isOnline(disk, app, user, now)) continue;
    const key = keyOf(app, user);
    const before = disk.lastSeen.get(key) ?? 0;
    disk.lastSeen.set(key, Math.max(expiresAt, before > now ? 0 : before));
    gone.set(key, { app, user });
  }
  return [...gone.values()];
}

/** Leases, and the times when people were last seen. */
export function createMemoryPresence(disk: MemoryDisk, { write, read }: Gated): PresenceStore {
  return {
    renew: (leases, now) =>
      write("presence.renew", () => leases.map((lease) => renewLease(disk, lease, now))),
    end: (app, user, clientId, now) => write("presence.end", () => endLease(disk, app, user, clientId, now)),
    bound: (latest) =>
      write("presence.bound", () => {
        for (const [key, lease] of disk.leases)
          if (lease.expiresAt > latest) disk.leases.set(key, { ...lease, expiresAt: latest });
      }),
    expire: (now) => write("presence.expire", () => expireLeases(disk, now)),
    expiring: (before, limit) =>
      read("presence.expiring", () =>
        [...disk.leases.values()]
          .filter(({ expiresAt }) => expiresAt < before)
          .sort((a, b) => a.expiresAt - b.expiresAt)
          .slice(0, limit),
      ),
    ofClient: (clientId) =>
      read("presence.ofClient", () =>
        [...disk.leases.values()].filter((lease) => lease.clientId === clientId).slice(0, maxPerClient),
      ),
    get: (app, users, now) =>
      read("presence.get", () =>
        users.map((user) => {
          if (isOnline(disk, app, user, now)) return { online: true, lastSeen: now };
          const ends = leasesOf(disk, app, user).map(({ expiresAt }) => expiresAt);
          const seen = Math.max(0, disk.lastSeen.get(keyOf(app, user)) ?? 0, ...ends);
          return { online: false, lastSeen: Math.min(now, seen) };
        }),
      ),
  };
}
