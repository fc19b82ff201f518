import type { EventRef, Log, Run } from "@chat21/engine";
import type { Collections } from "./collections.ts";
import type { ConversationKey } from "./documents.ts";

/** Written at the latest after so long, or with so many marks. */
const maxAgeMs = 500;
const maxMarks = 1_000;

/** What a loss does not falsify: a mark is dispatched again, a head is looked for in its log. Read by the majority. */
const lazily = { writeConcern: { w: "majority", journal: false }, ordered: false } as const;

interface Hint {
  readonly key: ConversationKey;
  readonly head: number;
  readonly lastTimestamp: number;
}

/** Marks of one conversation. */
interface Marks {
  readonly key: ConversationKey;
  seqs: number[];
  last: number;
}

const nameOf = ({ app, conversation }: ConversationKey) => `${app}\n${conversation}`;

/**
 * Writes that travel behind the commits, gathered: cleared marks, and the heads that conversation documents carry.
 * Ten thousand messages of a busy group make a handful of updates of its document.
 */
export class LazyWrites {
  readonly #collections: Collections;
  readonly #log: Log | undefined;
  #marks = new Map<string, Marks>();
  #markCount = 0;
  #writing: ReadonlyMap<string, Marks> = new Map();
  #hints = new Map<string, Hint>();
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(collections: Collections, log: Log | undefined) {
    this.#collections = collections;
    this.#log = log;
  }

  clearMarks(refs: readonly EventRef[]): void {
    for (const { app, conversation, seq } of refs) {
      const name = nameOf({ app, conversation });
      const marks = this.#marks.get(name);
      if (marks === undefined) {
        this.#marks.set(name, { key: { app, conversation }, seqs: [seq], last: seq });
        continue;
      }
      marks.seqs.push(seq);
      marks.last = Math.max(marks.last, seq);
    }
    const before = this.#markCount;
    this.#markCount += refs.length;
    // Once per thousand: while the store is away the rest waits for the timer.
    if (before < maxMarks && this.#markCount >= maxMarks && this.#writing.size === 0) void this.flush();
    else if (refs.length > 0) this.#wake();
  }

  raiseHead({ app, conversation }: ConversationKey, head: number, lastTimestamp: number): void {
    this.#hints.set(nameOf({ app, conversation }), { key: { app, conversation }, head, lastTimestamp });
    this.#wake();
  }

  /** Before events get their numbers: a mark that was given to a number without an event is none of theirs. */
  async passBy(runs: readonly Run[]): Promise<void> {
    for (const run of runs) {
      const marks = this.#marks.get(nameOf(run));
      if (marks !== undefined && marks.last > run.expectedHead) {
        marks.seqs = marks.seqs.filter((seq) => seq <= run.expectedHead);
        marks.last = Math.max(0, ...marks.seqs);
      }
    }
    const isAhead = (run: Run) => (this.#writing.get(nameOf(run))?.last ?? 0) > run.expectedHead;
    if (runs.some(isAhead)) await this.#flushing;
  }

  /** Resolves when everything given so far is written, or has failed and waits for the next time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  /** The last flush: what fails now is left to those who find the marks. */
  async close(): Promise<void> {
    await this.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #wake(): void {
    this.#timer ??= setTimeout(() => void this.flush(), maxAgeMs).unref();
  }

  async #write(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const marks = this.#marks;
    const hints = this.#hints;
    this.#marks = new Map();
    this.#markCount = 0;
    this.#hints = new Map();
    this.#writing = marks;
    try {
      await this.#writeHints([...hints.values()]);
      await this.#writeMarks([...marks.values()]);
    } catch (error) {
      this.#log?.warn({ err: error }, "dispatch marks were not cleared; trying again");
      this.#hints = new Map([...hints, ...this.#hints]);
      for (const { key, seqs } of marks.values()) this.clearMarks(seqs.map((seq) => ({ ...key, seq })));
      this.#wake();
    }
    this.#writing = new Map();
  }

  async #writeMarks(marks: readonly Marks[]): Promise<void> {
    const events = marks.flatMap(({ key, seqs }) => seqs.map((seq) => ({ ...key, seq })));
    for (let at = 0; at < events.length; at += maxMarks) {
      await this.#collections.events.updateMany(
        { _id: { $in: events.slice(at, at + maxMarks) } },
        { $unset: { undispatched: "" } },
        { ...lazily, hint: "_id_" },
      );
    }
  }

  async #writeHints(hints: readonly Hint[]): Promise<void> {
    if (hints.length === 0) return;
    await this.#collections.conversations.bulkWrite(
      hints.map(({ key, head, lastTimestamp }) => ({
        updateOne: { filter: { _id: key }, update: { $max: { head, lastTimestamp } } },
      })),
      lazily,
    );
  }
}
