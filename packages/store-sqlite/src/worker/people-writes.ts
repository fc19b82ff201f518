import type { DatabaseSync } from "node:sqlite";
import type { RevocationRecord, ServerKeyRecord } from "@chat21/auth";
import type { InstanceRecord, UserRecord } from "@chat21/people";

/** Users, revocations, server keys and push registrations on the connection that writes. */
export interface PeopleWrites {
  putUser(user: UserRecord): void;
  deleteUser(app: string, id: string): boolean;
  eraseUser(app: string, id: string): { profile: boolean; instances: number };
  addRevocation(revocation: RevocationRecord): void;
  /** Drops revocations without effect. */
  pruneRevocations(now: number): void;
  addServerKey(key: ServerKeyRecord): void;
  markServerKeyUsed(hash: string, at: number): void;
  removeServerKey(app: string, id: string): boolean;
  putInstance(instance: InstanceRecord): void;
}

/** Works inside the caller's transaction. */
export function createPeopleWrites(database: DatabaseSync): PeopleWrites {
  const putUser = database.prepare(
    `INSERT INTO user (app, id, profile, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (app, id) DO UPDATE
     SET profile = excluded.profile, created_at = excluded.created_at, updated_at = excluded.updated_at`,
  );
  const deleteUser = database.prepare("DELETE FROM user WHERE app = ? AND id = ?");
  // Part of the key, so that the same revocation is one row: '' and 0 stand for "none".
  const addRevocation = database.prepare(
    `INSERT INTO revocation (app, user, token_id, issued_before, expires_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (app, user, token_id, issued_before) DO UPDATE SET expires_at = excluded.expires_at`,
  );
  const pruneRevocations = database.prepare("DELETE FROM revocation WHERE expires_at <= ?");
  const addServerKey = database.prepare(
    `INSERT INTO server_key (hash, id, app, user, created_at, expires_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const markServerKeyUsed = database.prepare("UPDATE server_key SET last_used_at = ? WHERE hash = ?");
  const removeServerKey = database.prepare("DELETE FROM server_key WHERE app = ? AND id = ?");
  const putInstance = database.prepare(
    `INSERT INTO instance (app, user, instance_id, data, updated_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (app, user, instance_id) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at`,
  );
  const deleteInstances = database.prepare("DELETE FROM instance WHERE app = ? AND user = ?");
  const selectAccount = database.prepare("SELECT id FROM account WHERE app = ? AND name = ?");
  const deleteLeases = database.prepare("DELETE FROM presence_lease WHERE account = ?");
  const deleteLastSeen = database.prepare("DELETE FROM last_seen WHERE account = ?");
  return {
    eraseUser(app, id) {
      const account = (selectAccount.get(app, id)?.["id"] ?? null) as number | null;
      deleteLeases.run(account);
      deleteLastSeen.run(account);
      const instances = Number(deleteInstances.run(app, id).changes);
      return { profile: deleteUser.run(app, id).changes > 0, instances };
    },
    putUser({ app, id, profile, createdAt, updatedAt }) {
      putUser.run(app, id, profile, createdAt, updatedAt);
    },
    deleteUser: (app, id) => deleteUser.run(app, id).changes > 0,
    addRevocation({ app, user, tokenId, issuedBefore, expiresAt }) {
      addRevocation.run(app, user, tokenId ?? "", issuedBefore ?? 0, expiresAt);
    },
    pruneRevocations(now) {
      pruneRevocations.run(now);
    },
    addServerKey({ hash, id, app, user, createdAt, expiresAt, lastUsedAt }) {
      addServerKey.run(hash, id, app, user, createdAt, expiresAt, lastUsedAt);
    },
    markServerKeyUsed(hash, at) {
      markServerKeyUsed.run(at, hash);
    },
    removeServerKey: (app, id) => removeServerKey.run(app, id).changes > 0,
    putInstance({ app, user, instanceId, data, updatedAt }) {
      putInstance.run(app, user, instanceId, data, updatedAt);
    },
  };
}
