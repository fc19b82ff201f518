import { ChatError } from "@chat21/protocol";
import mongoose from "mongoose";

/** `DuplicateKey`. */
const duplicateKey = 11_000;

/** `SnapshotUnavailable`. */
const snapshotUnavailable = 246;

/** `IndexNotFound`. */
const indexNotFound = 27;

/**
 * Error codes of the server for failures of the surroundings: network, elections, shutdown, time limits, space,
 * contention.
 */
const passing: ReadonlySet<unknown> = new Set([
  ...[6, 7, 24, 50, 64, 79, 89, 91, 100, 112, 133, 134, 189, 202, 225, 234, 239, 246, 251, 256, 262, 290],
  ...[317, 384, 9_001, 10_107, 11_600, 11_602, 13_435, 13_436, 14_031, 50_915],
]);

const passingLabels = [
  "NetworkError",
  "RetryableError",
  "RetryableWriteError",
  "SystemOverloadedError",
  "TransientTransactionError",
  "UnknownTransactionCommitResult",
] as const;

const { mongo } = mongoose;

/** Errors of the driver itself: there is no answer, or none in time. */
const unanswered = [
  mongo.MongoNetworkError,
  mongo.MongoServerSelectionError,
  mongo.MongoNotConnectedError,
  mongo.MongoTopologyClosedError,
  mongo.MongoOperationTimeoutError,
  mongo.MongoExpiredSessionError,
  mongo.MongoClientClosedError,
] as const;

/** Errors known by name only: all connections of the pool were busy for too long; mongoose found no server. */
const unansweredNames: readonly string[] = ["MongoWaitQueueTimeoutError", "MongooseServerSelectionError"];

/** Whether a unique index refused something. */
export function isDuplicate(thrown: unknown): boolean {
  return thrown instanceof mongo.MongoServerError && thrown.code === duplicateKey;
}

/** Whether there is no index of that name. */
export function isIndexMissing(thrown: unknown): boolean {
  return thrown instanceof mongo.MongoServerError && thrown.code === indexNotFound;
}

/** Whether the server asks for the whole transaction once more. */
export function isTransient(thrown: unknown): boolean {
  return thrown instanceof mongo.MongoError && thrown.hasErrorLabel("TransientTransactionError");
}

/** Whether the server has no snapshot yet: a collection or an index is just being made. */
export function isSnapshotMissing(thrown: unknown): boolean {
  return thrown instanceof mongo.MongoServerError && thrown.code === snapshotUnavailable;
}

/** Whether it is unknown if the transaction was committed. */
export function isCommitUnknown(thrown: unknown): boolean {
  return thrown instanceof mongo.MongoError && thrown.hasErrorLabel("UnknownTransactionCommitResult");
}

/**
 * Index at which an ordered bulk of inserts met a unique index; all inserts before it are stored. `null` for any other
 * failure, also for a bulk whose stored part did not reach the majority.
 */
export function duplicateIndex(thrown: unknown): number | null {
  const [first] = refusedWrites(thrown);
  return first?.code === duplicateKey ? first.index : null;
}

/**
 * Indexes at which an unordered bulk of inserts met a unique index; all others are stored. `null` for any other failure,
 * also for a bulk whose stored part did not reach the majority.
 */
export function duplicateIndexes(thrown: unknown): ReadonlySet<number> | null {
  const refused = refusedWrites(thrown);
  const isOther = refused.length === 0 || refused.some(({ code }) => code !== duplicateKey);
  return isOther ? null : new Set(refused.map(({ index }) => index));
}

/** The writes of a bulk that the server refused; none where another failure ended it, or the rest did not reach the majority. */
function refusedWrites(thrown: unknown) {
  if (!(thrown instanceof mongo.MongoBulkWriteError)) return [];
  return thrown.result?.getWriteConcernError() === undefined ? [thrown.writeErrors].flat() : [];
}

function isPassing(thrown: unknown): boolean {
  // A bulk error keeps here the reason why the server gave no answer.
  if (thrown instanceof mongo.MongoBulkWriteError && thrown.errorResponse instanceof Error)
    return isPassing(thrown.errorResponse);
  if (unanswered.some((kind) => thrown instanceof kind)) return true;
  if (thrown instanceof Error && unansweredNames.includes(thrown.name)) return true;
  if (!(thrown instanceof mongo.MongoError)) return false;
  if (passingLabels.some((label) => thrown.hasErrorLabel(label))) return true;
  if (thrown instanceof mongo.MongoBulkWriteError && thrown.result?.getWriteConcernError() !== undefined)
    return true;
  return thrown instanceof mongo.MongoWriteConcernError || passing.has(thrown.code);
}

/** `store_unavailable` for a failure that may pass, `internal` for one that will not. */
export function toChatError(thrown: unknown): ChatError {
  if (thrown instanceof ChatError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  if (isPassing(thrown)) {
    return new ChatError("store_unavailable", `MongoDB does not answer as it should (${detail})`, {
      cause: thrown,
    });
  }
  return new ChatError("internal", detail, { cause: thrown });
}
