import type { EventRef, Log, Run } from "@chat21/engine";
import type { Collections } from "./collections.ts";
import type { ConversationKey } from "./documents.ts";
import type { HeadHints } from "./head-hints.ts";
import { conversationName } from "./key-names.ts";
import { SharedWrite } from "./shared-write.ts";

/** Longest delay of a write when nobody waits for the marks; so many marks are written earlier. */
const maxAgeMs = 500;
const maxMarks = 1_000;

/** Marks of one conversation. */
interface Marks {
  readonly key: ConversationKey;
  readonly seqs: number[];
  last: number;
}

/**
 * Cleared marks, written some time after the commits. There is no fixed rhythm: when somebody waits for them they are
 * written at once, and marks that are cleared meanwhile go with the next write.
 */
export class DispatchMarks {
  readonly #events: Collections["events"];
  readonly #hints: HeadHints;
  readonly #log: Log | undefined;
  readonly #shared = new SharedWrite(() => this.#write());
  #waiting = new Map<string, Marks>();
  #count = 0;
  #writing: ReadonlyMap<string, Marks> = new Map();
  #timer: NodeJS.Timeout | null = null;

  constructor({ events }: Collections, hints: HeadHints, log: Log | undefined) {
    this.#events = events;
    this.#hints = hints;
    this.#log = log;
  }

  clear(refs: readonly EventRef[]): void {
    for (const { app, conversation, seq } of refs) {
      const name = conversationName({ app, conversation });
      const marks = this.#waiting.get(name);
      if (marks === undefined) {
        this.#waiting.set(name, { key: { app, conversation }, seqs: [seq], last: seq });
        continue;
      }
      marks.seqs.push(seq);
      marks.last = Math.max(marks.last, seq);
    }
    const before = this.#count;
    this.#count += refs.length;
    // Once per thousand: while the store is away the rest waits for the timer.
    if (before < maxMarks && this.#count >= maxMarks && this.#writing.size === 0) this.#flushUnwatched();
    else if (refs.length > 0) this.#wake();
  }

  /**
   * Called before events get their numbers. A mark of a number without an event does not belong to the new event, so it
   * is written first, and finds nothing. It may also be the mark of a stored event: a run may know an older head than
   * we do, and then the run is not stored. Rejects when the marks cannot be written.
   */
  async passBy(runs: readonly Run[]): Promise<void> {
    const isAhead = (of: ReadonlyMap<string, Marks>) => (run: Run) =>
      (of.get(conversationName(run))?.last ?? 0) > run.expectedHead;
    if (runs.some(isAhead(this.#waiting))) await this.flush();
    else if (runs.some(isAhead(this.#writing))) await this.#shared.current();
  }

  /** Resolves when all marks cleared so far are durable; rejects when they are not, and then they wait for the next time. */
  flush(): Promise<void> {
    return this.#count === 0 ? this.#shared.current() : this.#shared.ask();
  }

  /** The last flush. Marks that cannot be written now stay in the database for the processes that find them. */
  async close(): Promise<void> {
    await this.flush().catch(() => {});
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #wake(): void {
    this.#timer ??= setTimeout(() => this.#flushUnwatched(), maxAgeMs).unref();
  }

  #flushUnwatched(): void {
    this.flush().catch(() => {});
  }

  async #write(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const marks = this.#waiting;
    this.#waiting = new Map();
    this.#count = 0;
    this.#writing = marks;
    try {
      // Until then an event that its conversation's document does not speak for is found only by its mark.
      await this.#hints.cover([...marks.values()]);
      await this.#unset([...marks.values()].flatMap(({ key, seqs }) => seqs.map((seq) => ({ ...key, seq }))));
    } catch (error) {
      this.#log?.warn({ err: error }, "dispatch marks were not cleared; trying again");
      for (const { key, seqs } of marks.values()) this.clear(seqs.map((seq) => ({ ...key, seq })));
      throw error;
    } finally {
      this.#writing = new Map();
    }
  }

  async #unset(events: readonly (ConversationKey & { readonly seq: number })[]): Promise<void> {
    for (let at = 0; at < events.length; at += maxMarks) {
      await this.#events.updateMany(
        { _id: { $in: events.slice(at, at + maxMarks) } },
        // Without its writer, too: a write of the mark that comes late does not find the event.
        { $unset: { undispatched: "", by: "" } },
        { hint: "_id_" },
      );
    }
  }
}
