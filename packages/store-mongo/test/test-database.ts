import mongoose from "mongoose";
import { type Collections, openCollections } from "../src/collections.ts";

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
