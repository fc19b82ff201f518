import type { Log } from "@chat21/engine";
import { ChatError, type EventCodes, eventCodes } from "@chat21/protocol";
import mongoose from "mongoose";
import { type Collections, openCollections } from "./collections.ts";
import { Database } from "./database.ts";
import { migrate, requireSchema } from "./migrations.ts";
import { toChatError } from "./mongo-failure.ts";
import { createMongoStore, type MongoStore } from "./mongo-store.ts";

/** Options of {@link connectMongoStore} and {@link migrateMongoStore}. */
export interface MongoStoreOptions {
  /** `mongodb://…`, a replica set or a sharded cluster: a single server has no transactions. */
  readonly uri: string;
  /** @default the database of the URI, else `chat21` */
  readonly database?: string;
  /** @default nothing is logged */
  readonly log?: Log;
  /** No query may take longer on the server, milliseconds. @default 5,000 */
  readonly queryTimeoutMs?: number;
  /** How long a call waits for a primary, milliseconds. @default 5,000 */
  readonly serverSelectionTimeoutMs?: number;
  /** How long a call waits for an answer, milliseconds. @default 15,000 */
  readonly socketTimeoutMs?: number;
  /** Connections of this process. @default 20 */
  readonly maxConnections?: number;
  /**
   * How far the clocks of the replica set's members may be apart, milliseconds. Others get a lease so much later than
   * its holder stops to count on it; otherwise a new primary whose clock is ahead could give it away early. @default
   * 250
   */
  readonly clockToleranceMs?: number;
  /**
   * Kinds of events that the program knows. The database remembers every kind that it was ever opened with. @default
   * this version's
   */
  readonly kinds?: EventCodes;
  /**
   * How often the processes of a store look for work that a dead process left undone, and bring members' places in lists
   * after the logs, milliseconds; they take turns. Sync tells of a dead process' last messages after this time plus 10 s. @default 5,000
   */
  readonly headSweepMs?: number;
  /**
   * What says that an event is not dispatched yet. `event`: a mark on each event that this process commits, for processes
   * whose messages a broker brings again. `process`: how far this process has come, in one document, which costs less
   * than half; after its death the events of its last second may be dispatched twice, of up to 6 s where dispatching was slow. Processes of both kinds share a
   * database. @default process
   */
  readonly dispatchMarks?: "event" | "process";
}

const defaults = {
  queryTimeoutMs: 5_000,
  serverSelectionTimeoutMs: 5_000,
  socketTimeoutMs: 15_000,
  maxConnections: 20,
  clockToleranceMs: 250,
  kinds: eventCodes,
  headSweepMs: 5_000,
  dispatchMarks: "process",
} as const;

interface Opened {
  readonly client: mongoose.mongo.MongoClient;
  readonly collections: Collections;
  readonly close: () => Promise<void>;
}

async function requireTransactions(database: mongoose.mongo.Db): Promise<void> {
  const hello = await database.admin().command({ hello: 1 });
  if (hello["setName"] !== undefined || hello["msg"] === "isdbgrid") return;
  throw new ChatError(
    "internal",
    "this MongoDB is a single server without transactions: start it as a replica set, be it of one member",
  );
}

async function open(options: MongoStoreOptions): Promise<Opened> {
  const { uri, database, ...given } = options;
  const settings = { ...defaults, ...given };
  const connection = mongoose.createConnection(uri, {
    appName: "chat21",
    ...(database === undefined ? {} : { dbName: database }),
    autoCreate: false,
    autoIndex: false,
    bufferCommands: false,
    maxPoolSize: settings.maxConnections,
    readConcern: { level: "majority" },
    readPreference: "primary",
    serverSelectionTimeoutMS: settings.serverSelectionTimeoutMs,
    socketTimeoutMS: settings.socketTimeoutMs,
    waitQueueTimeoutMS: settings.socketTimeoutMs,
    writeConcern: { w: "majority", journal: true, wtimeoutMS: settings.socketTimeoutMs },
  });
  const close = async () => connection.close();
  try {
    await connection.asPromise();
    const client = connection.getClient();
    const named = client.db(database ?? (connection.name === "test" ? "chat21" : connection.name));
    await requireTransactions(named);
    return { client, collections: openCollections(named), close };
  } catch (thrown) {
    await close().catch(() => {});
    throw toChatError(thrown);
  }
}

/**
 * Makes or migrates the store's collections and indexes, step by step. Run it before the first process of a version
 * starts; running it again, or twice at the same time, does no harm. Rejects when the schema is newer than this program.
 */
export async function migrateMongoStore(options: MongoStoreOptions): Promise<void> {
  const { collections, close } = await open(options);
  try {
    await migrate(collections, options.kinds ?? defaults.kinds);
  } catch (thrown) {
    throw toChatError(thrown);
  } finally {
    await close();
  }
}

/**
 * Opens the store on a database that {@link migrateMongoStore} has prepared. Any number of processes may. Rejects with
 * a `ChatError` whose message says what to do: no answer, no replica set, schema too old or too new, kinds of events that
 * the program lacks.
 */
export async function connectMongoStore(options: MongoStoreOptions): Promise<MongoStore> {
  const { client, collections, close } = await open(options);
  try {
    const epoch = await requireSchema(collections, options.kinds ?? defaults.kinds);
    const queryTimeoutMs = options.queryTimeoutMs ?? defaults.queryTimeoutMs;
    const database = new Database({ client, collections, queryTimeoutMs });
    const { log } = options;
    const { clockToleranceMs, headSweepMs, dispatchMarks } = { ...defaults, ...options };
    return await createMongoStore({
      ...{ epoch, database, log, clockToleranceMs, headSweepMs, dispatchMarks },
      release: close,
    });
  } catch (thrown) {
    await close();
    throw toChatError(thrown);
  }
}
