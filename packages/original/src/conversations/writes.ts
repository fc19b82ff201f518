import type { EventRecord, EventRef, MemberPatch, Run, RunResult, Store } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";

/** A run to write, and the writes after it. */
export interface ImportWrite {
  readonly run: Run;
  readonly patches: readonly MemberPatch[];
  /** Marks of events that an earlier import had stored before it was cut short. */
  readonly leftMarks: readonly EventRef[];
}

/** The outcome of a write. `stale`: another process has written to the conversation meanwhile. */
export type WriteOutcome = "committed" | "stale";

const refOf = ({ app, conversation, seq }: EventRecord): EventRef => ({ app, conversation, seq });

/**
 * Writes runs, then their members' places, and removes the marks only after both: a remaining mark tells the next
 * import that its conversation is not finished.
 */
export async function writeRuns(store: Store, writes: readonly ImportWrite[]): Promise<WriteOutcome[]> {
  if (writes.length === 0) return [];
  const stored = writes.map(() => 0);
  const outcomes = await commitAll(store, writes, stored);
  const patches = writes.flatMap((write, index) => (outcomes[index] === "committed" ? write.patches : []));
  if (patches.length > 0) await store.conversations.patch(patches);
  const marks = writes.flatMap(({ run, leftMarks }, index) => [
    ...leftMarks,
    ...run.events.slice(0, stored[index]).map(refOf),
  ]);
  await clearMarks(store, marks);
  return outcomes;
}

/** Removes marks for good: no event of an import is ever dispatched. */
export async function clearMarks(store: Store, marks: readonly EventRef[]): Promise<void> {
  if (marks.length === 0) return;
  store.events.markDispatched(marks);
  await store.events.flushDispatchMarks();
}

async function commitAll(
  store: Store,
  writes: readonly ImportWrite[],
  stored: number[],
): Promise<WriteOutcome[]> {
  const outcomes = new Array<WriteOutcome>(writes.length);
  let waiting = writes.map(({ run }, index) => ({ run, index }));
  while (waiting.length > 0) {
    const results = await store.events.commit(waiting.map(({ run }) => run));
    const again: typeof waiting = [];
    for (const [at, { run, index }] of waiting.entries()) {
      const result = results[at];
      if (result === undefined) throw new ChatError("internal", "a commit answered for too few runs");
      stored[index] = (stored[index] ?? 0) + result.committed;
      if (result.status === "repeat") again.push({ run: withoutRepeat(run, result), index });
      else outcomes[index] = result.status;
    }
    waiting = again;
  }
  return outcomes;
}

/** An original never looked at idempotency keys: one message keeps the key, the others have none. */
function withoutRepeat(run: Run, { index, committed }: RunResult & { readonly index: number }): Run {
  const events = run.events.map((event, at) => (at === index ? { ...event, clientMessageId: null } : event));
  return { ...run, expectedHead: run.expectedHead + committed, events: events.slice(committed) };
}
