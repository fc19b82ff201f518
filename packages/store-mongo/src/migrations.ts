import { randomUUID } from "node:crypto";
import { ChatError, type EventCodes } from "@chat21/protocol";
import type { Collections } from "./collections.ts";
import { manyConversations } from "./list-places.ts";
import { prepareForSync } from "./migrate-for-sync.ts";
import { isIndexMissing } from "./mongo-failure.ts";

/** One step of the schema. Running it again changes nothing. */
type Migration = (collections: Collections) => Promise<void>;

/** Leases that ran out so long ago are removed: their processes are gone. */
const forgetLeaseAfterSeconds = 24 * 60 * 60;

async function createIndexes(collections: Collections): Promise<void> {
  const { deliveries, events, instances, lanes, members, presence, revocations } = collections;
  await events.createIndexes([
    { name: "idempotency", key: { key: 1 }, unique: true, sparse: true },
    { name: "names", key: { "_id.app": 1, "_id.conversation": 1, names: 1, "_id.seq": 1 } },
    { name: "senders", key: { "_id.app": 1, "_id.conversation": 1, sender: 1, "_id.seq": 1 } },
    { name: "undispatched", key: { undispatched: 1 }, sparse: true },
  ]);
  await members.createIndexes([
    { name: "account", key: { account: 1, conversation: 1 }, unique: true },
    { name: "ordinal", key: { conversation: 1, ordinal: 1 }, unique: true },
  ]);
  await instances.createIndexes([{ name: "account", key: { account: 1, "_id.instanceId": 1 } }]);
  await presence.createIndexes([{ name: "expiry", key: { expiresAt: 1 }, sparse: true }]);
  await revocations.createIndexes([{ name: "expiry", key: { expiresAt: 1 } }]);
  const pending = { partialFilterExpression: { state: "pending" as const } };
  await deliveries.createIndexes([
    { name: "position", key: { position: 1 }, unique: true },
    { name: "endpoint", key: { endpoint: 1, state: 1, position: 1 } },
    { name: "lane", key: { lane: 1, position: 1 }, ...pending },
    { name: "queued", key: { endpoint: 1, queuedAt: 1 }, ...pending },
    { name: "settled", key: { state: 1, settledAt: 1 } },
  ]);
  await lanes.createIndexes([
    { name: "order", key: { endpoint: 1, position: 1, dueAt: 1 } },
    { name: "due", key: { endpoint: 1, dueAt: 1 } },
  ]);
}

/** Prepares the database for several processes on one store, and for connections that a broker has. */
async function prepareForCluster({ events, leases, presence }: Collections): Promise<void> {
  // In place of `undispatched`: finds the waiting events of one conversation without reading those of all others.
  await events.createIndexes([
    {
      name: "undispatched_of",
      key: { undispatched: 1, "_id.app": 1, "_id.conversation": 1 },
      partialFilterExpression: { undispatched: { $exists: true } },
    },
    {
      name: "redispatched_of",
      key: { redispatched: 1, "_id.app": 1, "_id.conversation": 1 },
      partialFilterExpression: { redispatched: { $exists: true } },
    },
  ]);
  await events.dropIndex("undispatched").catch((thrown) => {
    if (!isIndexMissing(thrown)) throw thrown;
  });
  await presence.createIndexes([{ name: "client", key: { "leases.clientId": 1 } }]);
  await leases.createIndexes([
    { name: "forget", key: { expiresAt: 1 }, expireAfterSeconds: forgetLeaseAfterSeconds },
  ]);
}

/** Takes webhooks in the order in which they are due, no longer in that of their arrival. */
async function takeWebhooksWhenDue({ lanes }: Collections): Promise<void> {
  await lanes.createIndexes([{ name: "due_order", key: { endpoint: 1, dueAt: 1, position: 1 } }]);
  for (const name of ["order", "due"]) {
    await lanes.dropIndex(name).catch((thrown) => {
      if (!isIndexMissing(thrown)) throw thrown;
    });
  }
}

/** Finds leases of webhooks that a clock made which was ahead. */
async function findLongLeases({ deliveries }: Collections): Promise<void> {
  await deliveries.createIndexes([
    {
      name: "leased",
      key: { endpoint: 1, leasedUntil: 1 },
      partialFilterExpression: { leasedUntil: { $gt: 0 } },
    },
  ]);
}

/** Finds the events behind a writer's cursor, and their conversations without a look at the events. */
async function findEventsByWriter({ events }: Collections): Promise<void> {
  await events.createIndexes([
    {
      name: "by_writer",
      key: { by: 1, at: 1, "_id.app": 1, "_id.conversation": 1 },
      partialFilterExpression: { by: { $exists: true } },
    },
  ]);
}

/** Lists the keys of an app's backends. */
async function listServerKeys({ serverKeys }: Collections): Promise<void> {
  await serverKeys.createIndexes([{ name: "app", key: { app: 1, createdAt: 1, id: 1 } }]);
}

/** Keeps conversations of users who have many in the order of lists. The places come from the sweep of lists: ADR 0019. */
async function orderLists({ listReaders, members }: Collections): Promise<void> {
  const order = { "listed.at": -1, "_id.conversation": 1 } as const;
  await members.createIndexes([
    { name: "listed", key: { account: 1, archivedAt: 1, ...order } },
    {
      name: "once_archived",
      key: { account: 1, "listed.returned": 1, ...order },
      partialFilterExpression: { archivedAt: { $gte: 0 } },
    },
  ]);
  await listReaders.createIndexes([{ name: "placed", key: { placed: 1 } }]);
  const counted = members.aggregate(
    [
      { $group: { _id: "$account", conversations: { $sum: 1 } } },
      { $match: { conversations: { $gt: manyConversations } } },
      { $project: { placed: { $literal: false } } },
      { $merge: { into: listReaders.collectionName, whenMatched: "keepExisting" } },
    ],
    { hint: "account", allowDiskUse: true },
  );
  await counted.toArray();
}

/** `migrations[n]` takes a database from version n to n + 1. Never change one that was released: add another. */
const migrations: readonly Migration[] = [
  createIndexes,
  prepareForCluster,
  prepareForSync,
  takeWebhooksWhenDue,
  findLongLeases,
  findEventsByWriter,
  listServerKeys,
  orderLists,
];

/** The version this code reads and writes. */
const schemaVersion = migrations.length;

async function readSchema({ schema }: Collections, kinds: EventCodes) {
  const found = await schema.findOne({ _id: "schema" }, { maxTimeMS: 10_000 });
  if (found !== null && found.version > schemaVersion) {
    throw new ChatError(
      "internal",
      `the database has schema ${found.version}, this program knows ${schemaVersion}: run a newer one`,
    );
  }
  const unknown = (found?.kinds ?? []).filter((kind) => !Object.hasOwn(kinds, kind));
  if (unknown.length > 0) {
    throw new ChatError(
      "internal",
      `the database was opened for events that this program does not know (${unknown.join(", ")}): run a newer one`,
    );
  }
  return found;
}

/** Takes the database to {@link schemaVersion}. Several processes may do it at the same time. */
export async function migrate(collections: Collections, kinds: EventCodes): Promise<void> {
  const found = await readSchema(collections, kinds);
  for (let version = found?.version ?? 0; version < schemaVersion; version += 1) {
    await migrations[version]?.(collections);
    await collections.schema.updateOne(
      { _id: "schema" },
      { $max: { version: version + 1 }, $setOnInsert: { epoch: randomUUID() } },
      { upsert: true },
    );
  }
}

/**
 * The epoch of a database with this program's schema. Rejects with what to do for any other schema, and for a database
 * that was opened with kinds of events which are not among `kinds`. Stores `kinds` in the database.
 */
export async function requireSchema(collections: Collections, kinds: EventCodes): Promise<string> {
  const found = await readSchema(collections, kinds);
  if (found === null || found.version < schemaVersion) {
    throw new ChatError(
      "internal",
      `the database has schema ${found?.version ?? 0}, this program needs ${schemaVersion}: run the migration first`,
    );
  }
  const added = Object.keys(kinds).filter((kind) => found.kinds?.includes(kind) !== true);
  if (added.length > 0) {
    await collections.schema.updateOne({ _id: "schema" }, { $addToSet: { kinds: { $each: added } } });
  }
  return found.epoch;
}
