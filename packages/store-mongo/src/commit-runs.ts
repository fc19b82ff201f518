import type { EventRecord, Run, RunResult } from "@chat21/engine";
import { commitPlain } from "./commit-plain.ts";
import { commitInTransaction, type TransactionResult } from "./commit-transaction.ts";
import type { Database } from "./database.ts";
import type { CommitUnderWay, DispatchCursor } from "./dispatch-cursor.ts";
import type { DispatchMarks } from "./dispatch-marks.ts";
import type { HeadHints } from "./head-hints.ts";
import type { KnownHeads } from "./known-heads.ts";
import { isTransient } from "./mongo-failure.ts";

/** Events of one transaction, at most: it holds up others, and is repeated as a whole. */
const maxEventsPerTransaction = 500;

/** How long several runs are tried together before each has a transaction of its own, milliseconds. */
const togetherForMs = 150;

/** Whether the run only adds to the log, right behind a head whose facts are known and stay. */
function isPlain(run: Run, known: KnownHeads): boolean {
  const { expectedHead, kind, transient, group, members, amendments, events } = run;
  const facts = known.get(run);
  return (
    facts !== undefined &&
    facts.head === expectedHead &&
    facts.kind === kind &&
    facts.transient === transient &&
    group === undefined &&
    (members === undefined || members.length === 0) &&
    (amendments === undefined || amendments.length === 0) &&
    events.length > 0
  );
}

/**
 * The runs whose idempotency keys occur neither twice in the run nor in an earlier run; the other runs wait for these.
 */
function withoutSharedKeys(runs: readonly Run[]): ReadonlySet<Run> {
  const seen = new Set<string>();
  return new Set(
    runs.filter(({ app, events }) => {
      let isShared = false;
      for (const { sender, clientMessageId } of events) {
        if (clientMessageId === null) continue;
        const name = `${app}\n${sender}\n${clientMessageId}`;
        isShared ||= seen.has(name);
        seen.add(name);
      }
      return !isShared;
    }),
  );
}

function inChunks(runs: readonly Run[]): Run[][] {
  const chunks: Run[][] = [];
  let events = maxEventsPerTransaction;
  for (const run of runs) {
    if (events + run.events.length > maxEventsPerTransaction) {
      chunks.push([]);
      events = 0;
    }
    chunks.at(-1)?.push(run);
    events += run.events.length;
  }
  return chunks;
}

/**
 * One transaction for all runs. Where rivals make it fail, one for each run, so that only runs with rivals have to
 * wait.
 */
async function commitTogether(
  database: Database,
  runs: readonly Run[],
  writer: number | null,
): Promise<TransactionResult[]> {
  try {
    return await commitInTransaction(database, runs, writer, runs.length > 1 ? togetherForMs : undefined);
  } catch (thrown) {
    if (runs.length < 2 || !isTransient(thrown)) throw thrown;
    const results: TransactionResult[] = [];
    for (const run of runs) results.push(...(await commitInTransaction(database, [run], writer)));
    return results;
  }
}

/** State that commits share with the rest of the store in this process. */
export interface CommitMemory {
  readonly known: KnownHeads;
  readonly marks: DispatchMarks;
  readonly hints: HeadHints;
  /** `null`: each event gets a mark of its own. */
  readonly cursor: DispatchCursor | null;
}

/** Of a commit whose events carry marks of their own. */
const unwatched: CommitUnderWay = { stored: () => {}, end: () => {} };

/** `EventLog.commit`. */
export function createCommit(database: Database, { known, marks, hints, cursor }: CommitMemory) {
  const writer = cursor?.writer ?? null;

  /** A run that was stored before this call says nothing about now. */
  function remember(run: Run, last: EventRecord): void {
    known.set(run, { head: last.seq, kind: run.kind, transient: run.transient });
  }

  async function store(
    runs: readonly Run[],
    stored: CommitUnderWay["stored"],
  ): Promise<readonly RunResult[]> {
    const results = new Map<Run, RunResult>();
    const first = withoutSharedKeys(runs);
    const plain = runs.filter((run) => first.has(run) && isPlain(run, known));
    // Until their outcome is known.
    for (const run of runs) known.forget(run);
    for (const [index, result] of (await commitPlain(database, plain, writer)).entries()) {
      const run = plain[index] as Run;
      const last = run.events.at(-1);
      if (result !== undefined) {
        results.set(run, result);
        stored(run, result.committed);
      }
      if (result?.status !== "committed" || last === undefined) continue;
      remember(run, last);
      hints.raise(run, last.seq, last.timestamp);
    }
    const rest = runs.filter((run) => first.has(run) && !results.has(run));
    const chunks = [...inChunks(rest), ...runs.filter((run) => !first.has(run)).map((run) => [run])];
    for (const chunk of chunks) {
      const sentAt = performance.now();
      const answers = await commitTogether(database, chunk, writer);
      for (const [index, { result, isNew }] of answers.entries()) {
        const run = chunk[index] as Run;
        const last = run.events.at(-1);
        results.set(run, result);
        if (!isNew || last === undefined) continue;
        stored(run, result.committed);
        remember(run, last);
        hints.stamped(run, last.seq, sentAt);
      }
    }
    return runs.map((run) => results.get(run) as RunResult);
  }

  return async function commit(runs: readonly Run[]): Promise<readonly RunResult[]> {
    await marks.passBy(runs);
    const underWay = cursor?.begin() ?? unwatched;
    try {
      const results = await store(runs, underWay.stored);
      underWay.end();
      return results;
    } catch (thrown) {
      underWay.end(runs);
      throw thrown;
    }
  };
}
