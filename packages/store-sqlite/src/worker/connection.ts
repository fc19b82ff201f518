import { DatabaseSync } from "node:sqlite";
import type { EventCodes } from "@chat21/protocol";
import { StoreFailure } from "./failure.ts";
import { foreignPart } from "./foreign-schema.ts";
import { rememberKinds } from "./known-kinds.ts";
import { applicationId, migrations, schemaVersion } from "./migrations.ts";

/**
 * How long a connection waits for a lock that a checkpoint or a backup holds for a moment. Set by pragma: Node 22.13
 * has no option for it, and waits not at all by default.
 */
export const busyTimeoutMs = 5_000;

/** Page cache of the writing and of the reading connection. The system's file cache lies behind both. */
const writerCacheKiB = 32 * 1024;
const readerCacheKiB = 16 * 1024;

/** Largest size of the log's file after it was carried over: one burst does not keep its space for ever. */
const logSizeLimitBytes = 64 * 1024 * 1024;

function pragmaNumber(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/**
 * The schema version of the file. Refuses a file that is not ours, one that is newer than this code, and one whose schema
 * somebody has changed. Run it before anything is written.
 */
export function requireKnownSchema(database: DatabaseSync, path: string): number {
  database.exec("PRAGMA trusted_schema = OFF");
  const version = pragmaNumber(database, "user_version");
  const owner = pragmaNumber(database, "application_id");
  const tables = Number(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
  if (owner !== applicationId && tables > 0) {
    throw new StoreFailure(
      "internal",
      `${path} is not a database of Chat21: move it away or choose another path`,
    );
  }
  if (version > schemaVersion) {
    throw new StoreFailure(
      "internal",
      `the database ${path} has schema version ${version} and this version of Chat21 knows up to ${schemaVersion}: ` +
        "use the version that wrote it, or restore an older backup",
    );
  }
  const foreign = foreignPart(database, version);
  if (foreign !== undefined) {
    throw new StoreFailure(
      "internal",
      `the database ${path} is not as Chat21 makes it: look at its ${foreign}, or restore a backup that you trust`,
    );
  }
  return version;
}

function migrate(database: DatabaseSync, path: string, newEpoch: () => string): void {
  const version = requireKnownSchema(database, path);
  if (version === schemaVersion) return;
  database.exec("BEGIN IMMEDIATE");
  for (const migration of migrations.slice(version)) database.exec(migration);
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
  database.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('epoch', ?)").run(newEpoch());
  database.exec("COMMIT");
}

/**
 * The connection that writes. Commits reach the disk before they return (`synchronous=FULL`); freed content is
 * overwritten with zeros (`secure_delete`), which costs a commit nothing, because commits free nothing. Checkpoints
 * are made by the other worker: see `checkpoint.ts`.
 */
export function openForWriting(
  path: string,
  options: {
    readonly kinds: EventCodes;
    readonly maxBytes: number | undefined;
    readonly newEpoch: () => string;
  },
): DatabaseSync {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  database.exec(
    `PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
     PRAGMA journal_size_limit = ${logSizeLimitBytes}; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
     PRAGMA cache_size = -${writerCacheKiB}`,
  );
  if (database.prepare("PRAGMA journal_mode").get()?.["journal_mode"] !== "wal") {
    const advice = "use a data folder on a local disk";
    throw new StoreFailure("store_unavailable", `the file system of ${path} has no shared memory: ${advice}`);
  }
  migrate(database, path, options.newEpoch);
  rememberKinds(database, path, options.kinds);
  if (options.maxBytes !== undefined) {
    const pages = Math.max(1, Math.floor(options.maxBytes / pragmaNumber(database, "page_size")));
    database.exec(`PRAGMA max_page_count = ${pages}`);
  }
  return database;
}

/** A connection that only reads; sees every commit that was acknowledged before the read was asked for. */
export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec(
    `PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${readerCacheKiB}`,
  );
  return database;
}
