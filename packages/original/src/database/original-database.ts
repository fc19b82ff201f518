import { OperatorError } from "@chat21/runtime";
import mongoose from "mongoose";
import type { OriginalDocument } from "../documents/copy.ts";

const { MongoClient, ObjectId } = mongoose.mongo;
const { EJSON } = mongoose.mongo.BSON;

/** The collections of an original Chat21. */
const originalCollections = ["messages", "conversations", "groups", "instances"] as const;

/** A collection of an original Chat21. */
export type OriginalCollection = (typeof originalCollections)[number];

/** Id of a document in a form that fits into a file: bytes of an `ObjectId`, else extended JSON. */
export type DocumentKey = Uint8Array | string;

/** Keys of a message that decide where it belongs. Its content is read later, once per message. */
const placeKeys = [
  "app_id",
  "message_id",
  "timelineOf",
  "conversWith",
  "sender",
  "recipient",
  "channel_type",
  "timestamp",
  "status",
  "__history",
  "attributes.tempUID",
] as const;

/** The key of a document's `_id`. */
export function documentKey(id: unknown): DocumentKey {
  return id instanceof ObjectId ? id.id : EJSON.stringify({ id }, { relaxed: false });
}

/** A key as text, for a map. */
export function keyText(key: DocumentKey): string {
  return typeof key === "string" ? key : Buffer.from(key).toString("hex");
}

/** Time when a document was made, milliseconds; `null` when its `_id` does not tell. */
export function createdAtOf({ _id: id }: OriginalDocument): number | null {
  return id instanceof ObjectId ? id.getTimestamp().getTime() : null;
}

/** Any value as extended JSON, so that nothing gets lost. */
export function extendedJson(value: unknown): string {
  return EJSON.stringify(value as object, { relaxed: true });
}

function idOf(key: DocumentKey): unknown {
  return typeof key === "string" ? EJSON.parse(key, { relaxed: false }).id : new ObjectId(key);
}

/** An original's database. It is only read. */
export class OriginalDatabase {
  /** Its name in reports: without a password. */
  readonly name: string;
  readonly #client: mongoose.mongo.MongoClient;
  readonly #database: mongoose.mongo.Db;

  private constructor(client: mongoose.mongo.MongoClient) {
    this.#client = client;
    this.#database = client.db();
    this.name = this.#database.databaseName;
  }

  /** Rejects with an `OperatorError` when the database does not answer, or has no data of an original. */
  static async connect(uri: string): Promise<OriginalDatabase> {
    const client = await connected(uri);
    const database = new OriginalDatabase(client);
    try {
      const found = await database.#database.listCollections({}, { nameOnly: true }).toArray();
      const names = new Set(found.map(({ name }) => name));
      if (names.has("messages") || names.has("groups") || names.has("conversations")) return database;
      throw new OperatorError(
        `the database "${database.name}" has none of the collections of a Chat21 (${originalCollections.join(", ")}); ` +
          "name the right one at the end of the address: mongodb://host/NAME",
      );
    } catch (thrown) {
      await client.close();
      throw thrown instanceof OperatorError ? thrown : toOperatorError(thrown);
    }
  }

  /** Approximate number of a collection's documents. */
  count(collection: OriginalCollection): Promise<number> {
    return this.#database.collection(collection).estimatedDocumentCount();
  }

  /** Every copy of every message in stored order, without its content. */
  copies(): AsyncIterable<OriginalDocument> {
    const projection = Object.fromEntries(placeKeys.map((key) => [key, 1]));
    return this.#database.collection("messages").find({}, { projection, batchSize: 5_000 });
  }

  /** Every document of a collection. */
  documents(collection: OriginalCollection): AsyncIterable<OriginalDocument> {
    return this.#database.collection(collection).find({}, { batchSize: 1_000 });
  }

  /** Whole messages by their keys' text; missing messages are left out. */
  async messages(keys: readonly DocumentKey[]): Promise<ReadonlyMap<string, OriginalDocument>> {
    if (keys.length === 0) return new Map();
    const filter = { _id: { $in: keys.map(idOf) } } as mongoose.mongo.Filter<mongoose.mongo.Document>;
    const found = await this.#database.collection("messages").find(filter, { batchSize: 1_000 }).toArray();
    return new Map(found.map((document) => [keyText(documentKey(document._id)), document]));
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

async function connected(uri: string): Promise<mongoose.mongo.MongoClient> {
  try {
    const client = new MongoClient(uri, { appName: "chat21 import", serverSelectionTimeoutMS: 5_000 });
    return await client.connect();
  } catch (thrown) {
    throw toOperatorError(thrown);
  }
}

/** The driver's messages name hosts, never passwords. */
function toOperatorError(thrown: unknown): OperatorError {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new OperatorError(`the database to import cannot be read: ${reason}`, { cause: thrown });
}
