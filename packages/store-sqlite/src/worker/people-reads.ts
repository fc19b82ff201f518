import type { DatabaseSync } from "node:sqlite";
import type { RevocationRecord, ServerKeyRecord } from "@chat21/auth";
import type { InstanceRecord, UserRecord } from "@chat21/people";
import type { Row } from "./event-rows.ts";

/** Reads of users, revocations, server keys and push registrations. */
export interface PeopleReads {
  getUser(app: string, id: string): UserRecord | null;
  listUsers(app: string, limit: number, after: string | undefined): UserRecord[];
  listRevocations(now: number): RevocationRecord[];
  findServerKey(hash: string): ServerKeyRecord | null;
  listServerKeys(app: string): ServerKeyRecord[];
  listInstances(app: string, user: string): InstanceRecord[];
}

function toUser(row: Row): UserRecord {
  return {
    app: row["app"] as string,
    id: row["id"] as string,
    profile: row["profile"] as string,
    createdAt: row["created_at"] as number,
    updatedAt: row["updated_at"] as number,
  };
}

function toRevocation(row: Row): RevocationRecord {
  return {
    app: row["app"] as string,
    user: row["user"] as string,
    tokenId: (row["token_id"] as string) || null,
    issuedBefore: (row["issued_before"] as number) || null,
    expiresAt: row["expires_at"] as number,
  };
}

function toServerKey(row: Row): ServerKeyRecord {
  return {
    hash: row["hash"] as string,
    id: row["id"] as string,
    app: row["app"] as string,
    user: row["user"] as string,
    createdAt: row["created_at"] as number,
    expiresAt: row["expires_at"] as number | null,
    lastUsedAt: row["last_used_at"] as number | null,
  };
}

function toInstance(row: Row): InstanceRecord {
  return {
    app: row["app"] as string,
    user: row["user"] as string,
    instanceId: row["instance_id"] as string,
    data: row["data"] as string,
    updatedAt: row["updated_at"] as number,
  };
}

/** Works inside the caller's snapshot. */
export function createPeopleReads(database: DatabaseSync): PeopleReads {
  const user = database.prepare("SELECT * FROM user WHERE app = ? AND id = ?");
  const users = database.prepare("SELECT * FROM user WHERE app = ? AND id > ? ORDER BY id LIMIT ?");
  const revocations = database.prepare("SELECT * FROM revocation WHERE expires_at > ?");
  const serverKey = database.prepare("SELECT * FROM server_key WHERE hash = ?");
  const serverKeys = database.prepare("SELECT * FROM server_key WHERE app = ? ORDER BY created_at, id");
  const instances = database.prepare(
    "SELECT * FROM instance WHERE app = ? AND user = ? ORDER BY instance_id",
  );
  return {
    getUser(app, id) {
      const row = user.get(app, id);
      return row === undefined ? null : toUser(row);
    },
    listUsers: (app, limit, after) => users.all(app, after ?? "", limit).map(toUser),
    listRevocations: (now) => revocations.all(now).map(toRevocation),
    findServerKey(hash) {
      const row = serverKey.get(hash);
      return row === undefined ? null : toServerKey(row);
    },
    listServerKeys: (app) => serverKeys.all(app).map(toServerKey),
    listInstances: (app, name) => instances.all(app, name).map(toInstance),
  };
}
