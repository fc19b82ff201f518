import type { EventRecord, EventRef, Log, Run } from "@chat21/engine";
import type { Database } from "./database.ts";
import type { DispatchMarks } from "./dispatch-marks.ts";
import type { HeadHints, LastOf } from "./head-hints.ts";
import { conversationName } from "./key-names.ts";
import { type Ticks, toTimestamp } from "./logical-time.ts";
import { SharedWrite } from "./shared-write.ts";

/** How often the cursor is written while events are dispatched. */
const writeEveryMs = 200;

/** How often it is written when nothing happens: others take a process for dead whose cursor is older than 3 s. */
const aliveEveryMs = 1_000;

/**
 * An event that waits longer for its dispatch gets a mark of its own, and holds the cursor up no more. A broker that is slow
 * under load does not take so long: marks would make it slower still.
 */
const straggleMs = 5_000;

/** How long a commit without an answer may still reach the database. */
const doubtMs = 10_000;

/** An event that is not dispatched yet. */
interface Open {
  readonly event: EventRecord;
  /** The write of its own mark was sent; the answer may have got lost. */
  mayBeMarked: boolean;
}

/** Of one commit: what is not dispatched yet. */
interface Batch {
  /** Its events were inserted after this logical time. */
  readonly since: Ticks;
  /** By this process' monotonic clock. */
  readonly begunAt: number;
  readonly open: Map<string, Open>;
  state: "in doubt" | "stored" | "under way";
  /** When its open events get marks of their own, by the same clock. */
  markAt: number;
}

/** A commit that was begun. */
export interface CommitUnderWay {
  /** The first `count` events of the run were stored by this commit. */
  stored(run: Run, count: number): void;
  /** Nobody knows which other events of these runs were stored. `undefined`: everything is known. */
  end(inDoubt?: readonly Run[]): void;
}

const nameOf = (ref: EventRef) => `${conversationName(ref)}\n${ref.seq}`;

/**
 * How far a process has dispatched what it committed: one document for all its events, in place of a mark on each. Every
 * event that it inserted up to the cursor's logical time is dispatched, or carries a mark of its own. When the process
 * dies, the events behind the cursor get such marks (`dead-writers.ts`). ADR 0018.
 */
export class DispatchCursor {
  readonly writer: number;
  readonly #database: Database;
  readonly #hints: HeadHints;
  readonly #marks: DispatchMarks;
  readonly #log: Log | undefined;
  readonly #shared = new SharedWrite(() => this.#write());
  /** In the order of `since`. */
  readonly #batches = new Set<Batch>();
  readonly #batchOf = new Map<string, Batch>();
  /** Conversations whose events the next write of the cursor passes. */
  #passed = new Map<string, LastOf>();
  #now: Ticks;
  #writtenAt = performance.now();
  #marking: Promise<void> = Promise.resolve();
  #isClosed = false;
  readonly #timer: NodeJS.Timeout;

  private constructor(parts: CursorParts, writer: number, now: Ticks) {
    this.writer = writer;
    this.#database = parts.database;
    this.#hints = parts.hints;
    this.#marks = parts.marks;
    this.#log = parts.log;
    this.#now = now;
    this.#timer = setInterval(() => this.#tick(), writeEveryMs).unref();
  }

  /** A cursor of a new writer. */
  static async open(parts: CursorParts): Promise<DispatchCursor> {
    const { counters, writers } = parts.database.collections;
    const now = await parts.database.time();
    const counter = await counters.findOneAndUpdate(
      { _id: "writers" },
      { $inc: { value: 1 } },
      { upsert: true, returnDocument: "after" },
    );
    const writer = counter?.value ?? 1;
    await writers.updateOne(
      { _id: writer },
      { $set: { dispatchedTo: toTimestamp(now) }, $currentDate: { seenAt: true } },
      { upsert: true },
    );
    return new DispatchCursor(parts, writer, now);
  }

  /** Called before the events are sent. */
  begin(): CommitUnderWay {
    const begunAt = performance.now();
    const batch: Batch = {
      ...{ since: this.#now, begunAt, open: new Map() },
      ...{ state: "under way", markAt: begunAt + straggleMs },
    };
    this.#batches.add(batch);
    const add = (event: EventRecord): void => {
      const name = nameOf(event);
      const earlier = this.#batchOf.get(name);
      // The same event, of a commit that was in doubt.
      if (earlier?.open.get(name)?.event.messageId === event.messageId) earlier.open.delete(name);
      batch.open.set(name, { event, mayBeMarked: false });
      this.#batchOf.set(name, batch);
    };
    return {
      stored: ({ events }, count) => {
        for (const event of count === events.length ? events : events.slice(0, count)) add(event);
      },
      end: (inDoubt) => {
        batch.state = inDoubt === undefined ? "stored" : "in doubt";
        for (const { events } of inDoubt ?? []) for (const event of events) add(event);
      },
    };
  }

  /** Events were dispatched. Answers those that have, or may have, marks of their own. */
  pass(refs: readonly EventRef[]): readonly EventRef[] {
    const marked: EventRef[] = [];
    for (const ref of refs) {
      const name = nameOf(ref);
      const batch = this.#batchOf.get(name);
      if (batch === undefined) {
        marked.push(ref);
        continue;
      }
      if (batch.open.get(name)?.mayBeMarked === true) marked.push(ref);
      this.#forget(name, batch);
      const { app, conversation, seq } = ref;
      this.#note({ key: { app, conversation }, last: seq });
    }
    return marked;
  }

  /**
   * Resolves when everything that was passed so far is durable: what is still open gets marks of its own. Rejects when that
   * cannot be written.
   */
  async flush(): Promise<void> {
    await this.mark(() => true);
    await this.#shared.ask();
  }

  /** Gives marks of their own to those open events that are chosen. */
  mark(which: (event: EventRecord, batch: Batch) => boolean): Promise<void> {
    const chosen: (Open & { readonly name: string; readonly batch: Batch })[] = [];
    for (const batch of this.#batches) {
      for (const [name, open] of batch.open) {
        if (!which(open.event, batch)) continue;
        open.mayBeMarked = true;
        chosen.push({ ...open, name, batch });
      }
    }
    if (chosen.length === 0) return Promise.resolve();
    // One after the other: only the call that takes an event off the list knows whether it was passed meanwhile.
    const marked = this.#marking.then(async () => {
      const left = chosen.filter(({ name, batch }) => batch.open.has(name));
      try {
        await this.#writeMarks(left.map(({ event }) => event));
      } finally {
        const passed = left.filter(({ name, batch }) => !batch.open.has(name));
        this.#marks.clear(passed.map(({ event }) => event));
      }
      for (const { name, batch } of left) if (batch.state === "stored") this.#forget(name, batch);
    });
    this.#marking = marked.catch(() => {});
    return marked;
  }

  /** The last write. What cannot be written now is left to the processes that find it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    try {
      await this.flush();
      await this.#database.collections.writers.deleteOne({ _id: this.writer });
    } catch {}
  }

  /** The next write passes events of the conversation up to this one. */
  #note({ key, last }: LastOf): void {
    const name = conversationName(key);
    this.#passed.set(name, { key, last: Math.max(last, this.#passed.get(name)?.last ?? 0) });
  }

  #forget(name: string, batch: Batch): void {
    batch.open.delete(name);
    if (this.#batchOf.get(name) === batch) this.#batchOf.delete(name);
  }

  async #writeMarks(events: readonly EventRecord[]): Promise<void> {
    if (events.length === 0) return;
    await this.#database.collections.events.bulkWrite(
      events.map(({ app, conversation, seq, messageId }) => ({
        updateOne: {
          // Another event may have got the number.
          filter: { _id: { app, conversation, seq }, by: this.writer, "names.0": messageId },
          update: [{ $set: { undispatched: "$at" } }],
        },
      })),
      { ordered: false },
    );
  }

  #tick(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    for (const batch of this.#batches) {
      if (batch.state !== "in doubt" || now - batch.begunAt < doubtMs) continue;
      batch.state = "stored";
      batch.markAt = now;
    }
    const late = new Set([...this.#batches].filter(({ markAt, open }) => markAt <= now && open.size > 0));
    for (const batch of late) batch.markAt = now + straggleMs;
    if (late.size > 0) this.#unwatched(this.mark((_, batch) => late.has(batch)));
    const isDue = this.#passed.size > 0 || now - this.#writtenAt >= aliveEveryMs;
    if (isDue) this.#unwatched(this.#shared.ask());
  }

  #unwatched(work: Promise<void>): void {
    work.catch((err: unknown) =>
      this.#log?.warn({ err }, "the dispatch cursor was not written; trying again"),
    );
  }

  /** The logical time up to which nothing is open. */
  #reached(): Ticks {
    for (const batch of this.#batches) {
      if (batch.state !== "stored" || batch.open.size > 0) return batch.since;
      this.#batches.delete(batch);
    }
    return this.#now;
  }

  async #write(): Promise<void> {
    this.#now = Math.max(this.#now, await this.#database.time());
    const reached = this.#reached();
    const passed = this.#passed;
    this.#passed = new Map();
    try {
      // From then on nothing speaks for these events but their conversations' documents.
      await this.#hints.cover([...passed.values()]);
      await this.#database.collections.writers.updateOne(
        { _id: this.writer },
        { $max: { dispatchedTo: toTimestamp(reached) }, $currentDate: { seenAt: true } },
        { upsert: true },
      );
      this.#writtenAt = performance.now();
    } catch (error) {
      for (const noted of passed.values()) this.#note(noted);
      throw error;
    }
  }
}

/** What a {@link DispatchCursor} works with. */
export interface CursorParts {
  readonly database: Database;
  readonly hints: HeadHints;
  readonly marks: DispatchMarks;
  readonly log: Log | undefined;
}
