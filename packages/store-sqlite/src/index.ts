export { backupSqlite } from "./backup-sqlite.ts";
export type { SqliteReport } from "./check-sqlite.ts";
export { checkSqlite } from "./check-sqlite.ts";
export type { CopyProgress } from "./copy-database.ts";
export type { SqliteStoreOptions } from "./open-sqlite-store.ts";
export { openSqliteStore } from "./open-sqlite-store.ts";
export type { RestoreOptions } from "./restore-sqlite.ts";
export { restoreSqlite } from "./restore-sqlite.ts";
