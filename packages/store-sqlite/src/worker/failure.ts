import type { ErrorCode } from "@chat21/protocol";

/**
 * A worker's description of an error. A worker imports nothing of other packages at run time: see `sqlite-worker.ts`.
 */
export interface WorkerFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Thrown inside a worker by code that knows what went wrong; the other side makes a `ChatError` of it. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Result codes of SQLite for failures of the surroundings: they may pass, and everything in the transaction is undone.
 */
const passing: Readonly<Record<number, string>> = {
  5: "the database is busy",
  6: "the database is locked",
  7: "out of memory",
  8: "the database or its folder is read-only",
  10: "reading or writing the disk failed",
  13: "the disk, or the size allowed for the database, is full",
  14: "the database file cannot be opened",
  15: "locking the database failed",
};

/** `SQLITE_CORRUPT` and `SQLITE_NOTADB`. */
const damaged: ReadonlySet<number> = new Set([11, 26]);

function resultCodeOf(thrown: unknown): number | undefined {
  const code = thrown instanceof Error ? (thrown as { errcode?: unknown }).errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** Whether somebody else holds a lock. */
export function isBusy(thrown: unknown): boolean {
  return resultCodeOf(thrown) === 5;
}

/** Whether the surroundings failed, and not the request: then no request of the transaction may be kept. */
export function isEnvironmental(thrown: unknown): boolean {
  const code = resultCodeOf(thrown);
  return code !== undefined && (code in passing || damaged.has(code));
}

/** `store_unavailable` for a failure that may pass, `internal` for one that will not. */
export function toFailure(thrown: unknown, path: string): WorkerFailure {
  if (thrown instanceof StoreFailure) return { code: thrown.code, message: thrown.message };
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  const code = resultCodeOf(thrown);
  if (code !== undefined && damaged.has(code)) {
    return { code: "internal", message: `the database ${path} is damaged (${detail}): restore a backup` };
  }
  const known = code === undefined ? undefined : passing[code];
  if (known !== undefined) return { code: "store_unavailable", message: `${known} (${path}: ${detail})` };
  return { code: "internal", message: detail };
}
