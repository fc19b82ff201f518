export type { MongoStoreOptions } from "./connect-mongo-store.ts";
export { connectMongoStore, migrateMongoStore } from "./connect-mongo-store.ts";
export type { MongoStore } from "./mongo-store.ts";
