import type { DatabaseSync } from "node:sqlite";
import type { WorkerAnswer, WorkerRequest } from "../worker-protocol.ts";
import { endTransaction } from "./end-transaction.ts";
import { isEnvironmental, toFailure } from "./failure.ts";
import { hasMethod, invoke, tryToInvoke } from "./invoke.ts";
import type { Writer } from "./writer-methods.ts";

/** About 4 MiB, which hold up reads for 10 ms at most. More would keep them waiting longer. */
const pagesPerCheckpoint = 1_000;

/** Runs everything that is waiting as one transaction with one fsync, and answers afterwards. */
export type GroupCommit = (requests: readonly WorkerRequest[]) => readonly WorkerAnswer[];

/**
 * The requests of a transaction succeed or fail one by one: the happy path needs no savepoint, because a method checks
 * before it writes. When one fails all the same, everything is rolled back and done again with a savepoint for each
 * request, so that only the failing one is left out. When the surroundings fail (disk full, I/O error), or the commit
 * itself, all requests of the transaction are refused.
 */
export function createGroupCommit(database: DatabaseSync, writer: Writer, path: string): GroupCommit {
  const runPlainly = (request: WorkerRequest): WorkerAnswer => [
    request[0],
    null,
    invoke(writer.methods, request),
  ];

  function runAlone(request: WorkerRequest): WorkerAnswer {
    database.exec("SAVEPOINT item");
    try {
      const answer = runPlainly(request);
      database.exec("RELEASE item");
      return answer;
    } catch (thrown) {
      if (isEnvironmental(thrown)) throw thrown;
      database.exec("ROLLBACK TO item; RELEASE item");
      writer.reset();
      return [request[0], toFailure(thrown, path), null];
    }
  }

  const changes = database.prepare("SELECT total_changes() AS n");
  let changesBefore = 0;
  let pages = 0;

  /** Whether the log has become long enough for a checkpoint. A commit writes about 4 pages, a changed row about 1. */
  function isLogLong(): boolean {
    const total = Number(changes.get()?.["n"]);
    pages += 4 + total - changesBefore;
    changesBefore = total;
    if (pages < pagesPerCheckpoint) return false;
    pages = 0;
    return true;
  }

  function transact(
    requests: readonly WorkerRequest[],
    notes: readonly WorkerRequest[],
    run: typeof runPlainly,
  ): readonly WorkerAnswer[] {
    try {
      database.exec("BEGIN IMMEDIATE");
      // Here, because every read outside of a transaction locks and unlocks the file.
      for (const note of notes) invoke(writer.notes, note);
      const answers = requests.map(run);
      writer.dispatch.save();
      database.exec("COMMIT");
      return isLogLong() ? [...answers, [0, null, null]] : answers;
    } catch (thrown) {
      // A full disk or an I/O error may have rolled back already.
      endTransaction(database, "ROLLBACK");
      writer.reset();
      if (run === runPlainly && !isEnvironmental(thrown)) return transact(requests, [], runAlone);
      const failure = toFailure(thrown, path);
      return requests.map(([id]) => [id, failure, null]);
    }
  }

  return (requests) => {
    const notes = requests.filter((request) => hasMethod(writer.notes, request));
    const together = requests.filter((request) => hasMethod(writer.methods, request));
    const apart = requests.filter((request) => hasMethod(writer.side, request));
    // No transaction runs for these notes alone. A failure is ignored, because the sender still has them.
    if (together.length === 0) for (const note of notes) tryToInvoke(writer.notes, note, path);
    const answers = together.length === 0 ? [] : transact(together, notes, runPlainly);
    return [...answers, ...apart.map((request) => tryToInvoke(writer.side, request, path))];
  };
}
