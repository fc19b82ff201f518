import type { RevocationStore, ServerKeyStore } from "@chat21/auth";
import type { InstanceStore, UserStore } from "@chat21/people";
import { keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";

/** Users. */
export function createMemoryUsers(disk: MemoryDisk, { write, read }: Gated): UserStore {
  return {
    put: (user) =>
      write("users.put", () => {
        disk.users.set(keyOf(user.app, user.id), { ...user });
      }),
    get: (app, id) => read("users.get", () => disk.users.get(keyOf(app, id)) ?? null),
    list: (app, limit, after) =>
      read("users.list", () =>
        [...disk.users.values()]
          .filter((user) => user.app === app && (after === undefined || user.id > after))
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .slice(0, limit),
      ),
    delete: (app, id) => write("users.delete", () => disk.users.delete(keyOf(app, id))),
    erase: (app, id) => write("users.erase", () => erasePerson(disk, app, id)),
  };
}

function erasePerson(disk: MemoryDisk, app: string, user: string): { profile: boolean; instances: number } {
  const own = (record: { readonly app: string; readonly user: string }) =>
    record.app === app && record.user === user;
  const instances = [...disk.instances].filter(([, instance]) => own(instance));
  for (const [key] of instances) disk.instances.delete(key);
  for (const [key, lease] of disk.leases) if (own(lease)) disk.leases.delete(key);
  disk.lastSeen.delete(keyOf(app, user));
  return { profile: disk.users.delete(keyOf(app, user)), instances: instances.length };
}

/** Revoked tokens. */
export function createMemoryRevocations(disk: MemoryDisk, { write, read }: Gated): RevocationStore {
  return {
    add: (revocation) =>
      write("revocations.add", () => {
        const { app, user, tokenId, issuedBefore } = revocation;
        disk.revocations.set(keyOf(app, user, tokenId ?? "", issuedBefore ?? ""), { ...revocation });
      }),
    list: (now) =>
      read("revocations.list", () =>
        [...disk.revocations.values()].filter(({ expiresAt }) => expiresAt > now),
      ),
  };
}

/** Keys of backends. */
export function createMemoryServerKeys({ serverKeys }: MemoryDisk, { write, read }: Gated): ServerKeyStore {
  return {
    add: (key) =>
      write("serverKeys.add", () => {
        serverKeys.set(key.hash, { ...key });
      }),
    find: (hash) => read("serverKeys.find", () => serverKeys.get(hash) ?? null),
    list: (app) =>
      read("serverKeys.list", () =>
        [...serverKeys.values()]
          .filter((key) => key.app === app)
          .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
      ),
    markUsed: (hash, at) =>
      write("serverKeys.markUsed", () => {
        const key = serverKeys.get(hash);
        if (key !== undefined) serverKeys.set(hash, { ...key, lastUsedAt: at });
      }),
    remove: (app, id) =>
      write("serverKeys.remove", () => {
        const found = [...serverKeys.values()].find((key) => key.app === app && key.id === id);
        return found !== undefined && serverKeys.delete(found.hash);
      }),
  };
}

/** Push registrations. */
export function createMemoryInstances(disk: MemoryDisk, { write, read }: Gated): InstanceStore {
  return {
    put: (instance) =>
      write("instances.put", () => {
        disk.instances.set(keyOf(instance.app, instance.user, instance.instanceId), { ...instance });
      }),
    list: (app, user) =>
      read("instances.list", () =>
        [...disk.instances.values()]
          .filter((instance) => instance.app === app && instance.user === user)
          .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1)),
      ),
  };
}
