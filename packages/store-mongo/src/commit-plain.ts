import type { EventRecord, Run, RunResult } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import type { Collections } from "./collections.ts";
import type { Database } from "./database.ts";
import { toEventDocument, toEventRecord } from "./event-codec.ts";
import { keyHolderOf } from "./key-holders.ts";
import { duplicateIndex } from "./mongo-failure.ts";

/** `undefined`: the plain way cannot tell the result; a transaction can. */
export type PlainResult = RunResult | undefined;

const committed = (count: number): RunResult => ({ status: "committed", committed: count });

/** Inserts in order. Answers the place where a unique index stopped it; `null` when everything is stored. */
async function insert(
  events: Collections["events"],
  records: readonly EventRecord[],
  writer: number | null,
): Promise<number | null> {
  try {
    const documents = records.map((event) => toEventDocument(event, writer));
    await events.insertMany(documents, { ordered: true });
    return null;
  } catch (thrown) {
    const index = duplicateIndex(thrown);
    if (index === null) throw thrown;
    return index;
  }
}

/** The result of a run of which only the first `stored` events are in. */
async function refusalOf(database: Database, run: Run, stored: number): Promise<PlainResult> {
  // Nothing was stored: another process has the number or the key, or this very run is stored and its answer got lost.
  if (stored === 0) return undefined;
  const event = run.events[stored];
  if (event === undefined) throw new ChatError("internal", "a refused insert names no event of its run");
  const existing = await keyHolderOf(database, event);
  if (existing === null) return { status: "stale", committed: stored };
  return { status: "repeat", committed: stored, index: stored, existing: toEventRecord(existing) };
}

/**
 * Stores runs that change nothing but the log, at heads that are known to exist: one ordered bulk for all of them. It
 * stops at the first event that a fence refuses. The runs before it are stored whole, its own run up to that event, and
 * no later run; the rest is sent again. Repeats are not looked for beforehand: they are rare, the unique key finds
 * them, and a look would cost one more query for every batch.
 */
export async function commitPlain(
  database: Database,
  runs: readonly Run[],
  writer: number | null,
): Promise<PlainResult[]> {
  const results = new Array<PlainResult>(runs.length);
  let waiting = runs.map((_, index) => index);
  const eventsOf = (index: number) => runs[index]?.events ?? [];
  while (waiting.length > 0) {
    const stopped = await insert(database.collections.events, waiting.flatMap(eventsOf), writer);
    let offset = 0;
    let next: number[] = [];
    for (const [at, index] of waiting.entries()) {
      const { length } = eventsOf(index);
      if (stopped === null || offset + length <= stopped) results[index] = committed(length);
      else {
        results[index] = await refusalOf(database, runs[index] as Run, stopped - offset);
        next = waiting.slice(at + 1);
        break;
      }
      offset += length;
    }
    waiting = next;
  }
  return results;
}
