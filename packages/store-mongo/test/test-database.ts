import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import mongoose from "mongoose";
import { type Collections, openCollections } from "../src/collections.ts";
import { connectMongoStore, type MongoStore, migrateMongoStore } from "../src/index.ts";

/** Which database. */
export interface TestDatabase {
  readonly uri: string;
  readonly database: string;
}

/** Calls `use` with a connection of the test's own, beside the store's. */
export async function withCollections<T>(
  { uri, database }: TestDatabase,
  use: (collections: Collections, client: mongoose.mongo.MongoClient) => Promise<T>,
): Promise<T> {
  const client = await new mongoose.mongo.MongoClient(uri).connect();
  try {
    return await use(openCollections(client.db(database)), client);
  } finally {
    await client.close();
  }
}

/** Removes all that a test has left. */
export async function dropDatabase(database: TestDatabase): Promise<void> {
  await withCollections(database, (_, client) => client.db(database.database).dropDatabase());
}

/** Stores of several processes on one database. */
export interface SharedDatabase {
  readonly mongo: RequiredMongo;
  readonly stores: readonly MongoStore[];
  /** Closes the stores and removes the database. */
  close(): Promise<void>;
}

/** Opens `count` stores on a database that no other test uses. */
export async function openStores(count: number): Promise<SharedDatabase> {
  const mongo = await requireMongo();
  await migrateMongoStore(mongo);
  const stores = await Promise.all(Array.from({ length: count }, () => connectMongoStore(mongo)));
  return {
    mongo,
    stores,
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      await dropDatabase(mongo);
    },
  };
}
