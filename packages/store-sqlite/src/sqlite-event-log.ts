import type { EventLog, Log } from "@chat21/engine";
import { emptyLog } from "./checkpoints.ts";
import { DispatchMarks } from "./dispatch-marks.ts";
import { decodeRunResult, encodeRun } from "./run-codec.ts";
import type { WriterNotes } from "./worker/writer-methods.ts";
import type { Read, Write } from "./worker-calls.ts";

/** Parts of {@link createSqliteEventLog}. */
export interface EventLogParts {
  readonly write: Write;
  readonly read: Read;
  readonly note: (method: keyof WriterNotes, args: Parameters<WriterNotes[keyof WriterNotes]>) => void;
  readonly log: Log | undefined;
}

/** Marks wait this long for a commit to travel with. */
const idleMarksMs = 2_000;

/** The logs, and the marks that wait in this thread for the next commit. */
export function createSqliteEventLog(parts: EventLogParts): EventLog & { saveMarks(): Promise<void> } {
  const { write, read, note, log } = parts;
  const marks = new DispatchMarks();
  let isIdleTimerSet = false;

  /**
   * Sends waiting marks ahead of `call`, in one transaction with it. They wait again when that does not reach the disk.
   */
  async function withMarks<T>(call: () => Promise<T>): Promise<T> {
    const taken = marks.take();
    if (taken.length > 0) note("markDispatched", [taken]);
    try {
      return await call();
    } catch (error) {
      marks.restore(taken);
      throw error;
    }
  }

  const flushDispatchMarks = () => withMarks(() => write("saveMarks"));

  async function saveMarks(): Promise<void> {
    await flushDispatchMarks().catch((error) => log?.warn({ err: error }, "dispatch marks were not saved"));
  }

  return {
    saveMarks,
    async commit(runs) {
      const results = await withMarks(() => write("commit", runs.map(encodeRun)));
      return results.map(decodeRunResult);
    },
    read: (range) => read("readEvents", range),
    find: (app, conversation, id, among) => read("findEvent", app, conversation, id, among),
    findByClientMessageId: (app, sender, id) => read("findByClientMessageId", app, sender, id),
    findMessages: (search) => read("findMessages", search),
    rewrite: (app, conversation, bodies) => write("rewriteEvents", app, conversation, bodies),
    scrub: () => emptyLog(write, log),
    undispatched(limit, committed, of) {
      // The writer knows them from now on, but only a commit or a flush brings them to the disk.
      const taken = marks.take();
      if (taken.length > 0) note("markDispatched", [taken]);
      marks.restore(taken);
      return write("undispatched", limit, committed, of);
    },
    flushDispatchMarks,
    markDispatched(refs) {
      marks.add(refs);
      if (isIdleTimerSet) return;
      isIdleTimerSet = true;
      const save = () => {
        isIdleTimerSet = false;
        if (!marks.isEmpty) void saveMarks();
      };
      setTimeout(save, idleMarksMs).unref();
    },
  };
}
