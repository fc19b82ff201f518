import type { RevocationStore, ServerKeyRecord, ServerKeyStore } from "@chat21/auth";
import type { InstanceStore, UserRecord, UserStore } from "@chat21/people";
import mongoose from "mongoose";
import type { Database } from "./database.ts";
import type { ServerKeyDocument, UserDocument } from "./documents.ts";

const { MaxKey } = mongoose.mongo;

/** How often revocations without effect are removed. */
const pruneIntervalMs = 60 * 60 * 1_000;

/** Revocations are kept so much longer than their tokens live: a clock that was days ahead must not bring back any. */
const forgetAfterMs = 7 * 24 * 60 * 60 * 1_000;

function toUserRecord({ _id, profile, createdAt, updatedAt }: UserDocument): UserRecord {
  return { app: _id.app, id: _id.id, profile, createdAt, updatedAt };
}

/** Users. */
export function createUsers(database: Database): UserStore {
  const { instances, presence, users } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;
  return {
    put: ({ app, id, profile, createdAt, updatedAt }) =>
      database.call(async () => {
        const replacement = { profile, createdAt, updatedAt };
        await users.replaceOne({ _id: { app, id } }, replacement, { upsert: true });
      }),
    get: (app, id) =>
      database.call(async () => {
        const found = await users.findOne({ _id: { app, id } }, { maxTimeMS });
        return found === null ? null : toUserRecord(found);
      }),
    list: (app, limit, after = "") =>
      database.call(async () => {
        const bounds = { $gt: { app, id: after }, $lt: { app, id: new MaxKey() } as never };
        const found = await users
          .find({ _id: bounds }, { maxTimeMS })
          .sort({ _id: 1 })
          .limit(limit)
          .toArray();
        return found.map(toUserRecord);
      }),
    delete: (app, id) =>
      database.call(async () => (await users.deleteOne({ _id: { app, id } })).deletedCount > 0),
    erase: (app, id) =>
      database.call(() =>
        database.transaction(async (session) => {
          const account = { app, user: id };
          const profile = await users.deleteOne({ _id: { app, id } }, { session });
          const registrations = await instances.deleteMany({ account }, { session });
          await presence.deleteOne({ _id: account }, { session });
          return { profile: profile.deletedCount > 0, instances: registrations.deletedCount };
        }),
      ),
  };
}

/** Revoked tokens. */
export function createRevocations(database: Database): RevocationStore {
  const { revocations } = database.collections;
  let cleanedAt = Number.NEGATIVE_INFINITY;
  return {
    add: ({ app, user, tokenId, issuedBefore, expiresAt }) =>
      database.call(async () => {
        const _id = { app, user, tokenId, issuedBefore };
        await revocations.updateOne({ _id }, { $set: { expiresAt } }, { upsert: true });
      }),
    list: (now) =>
      database.call(async () => {
        if (performance.now() - cleanedAt >= pruneIntervalMs) {
          cleanedAt = performance.now();
          await revocations.deleteMany({ expiresAt: { $lt: now - forgetAfterMs } });
        }
        const found = await revocations
          .find({ expiresAt: { $gt: now } }, { maxTimeMS: database.queryTimeoutMs })
          .toArray();
        return found.map(({ _id, expiresAt }) => ({ ..._id, expiresAt }));
      }),
  };
}

/** Keys of backends. The read concern and the write concern of the connection make a revocation count everywhere. */
export function createServerKeys(database: Database): ServerKeyStore {
  const { serverKeys } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;
  return {
    add: ({ hash, ...key }) =>
      database.call(async () => {
        await serverKeys.insertOne({ _id: hash, ...key });
      }),
    find: (hash) =>
      database.call(async () => {
        const found = await serverKeys.findOne({ _id: hash }, { maxTimeMS });
        return found === null ? null : toServerKey(found);
      }),
    list: (app) =>
      database.call(async () => {
        const found = await serverKeys.find({ app }, { maxTimeMS }).sort({ createdAt: 1, id: 1 }).toArray();
        return found.map(toServerKey);
      }),
    markUsed: (hash, at) =>
      database.call(async () => {
        await serverKeys.updateOne({ _id: hash }, { $set: { lastUsedAt: at } });
      }),
    remove: (app, id) =>
      database.call(async () => (await serverKeys.deleteOne({ app, id })).deletedCount > 0),
  };
}

function toServerKey({ _id: hash, ...key }: ServerKeyDocument): ServerKeyRecord {
  return { hash, ...key };
}

/** Push registrations. */
export function createInstances(database: Database): InstanceStore {
  const { instances } = database.collections;
  return {
    put: ({ app, user, instanceId, data, updatedAt }) =>
      database.call(async () => {
        const replacement = { account: { app, user }, data, updatedAt };
        await instances.replaceOne({ _id: { app, user, instanceId } }, replacement, { upsert: true });
      }),
    list: (app, user) =>
      database.call(async () => {
        const found = await instances
          .find({ account: { app, user } }, { maxTimeMS: database.queryTimeoutMs })
          .sort({ "_id.instanceId": 1 })
          .toArray();
        return found.map(({ _id, data, updatedAt }) => ({
          app,
          user,
          instanceId: _id.instanceId,
          data,
          updatedAt,
        }));
      }),
  };
}
