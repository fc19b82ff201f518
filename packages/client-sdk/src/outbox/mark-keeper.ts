import type { Mark } from "@chat21/protocol";
import { ChatError } from "@chat21/protocol";
import { newId } from "./new-id.ts";
import type { RecordStore } from "./record-store.ts";

/** Watermarks of one run of a client that the server has not confirmed yet. */
export interface MarksRecord {
  /** The run's id. */
  readonly id: string;
  /** Epoch of the store whose numbers they are. */
  readonly epoch: string;
  readonly marks: readonly Mark[];
}

/** Settings of a {@link MarkKeeper}. */
export interface MarkKeeperOptions {
  readonly store: RecordStore<MarksRecord>;
  /** Epoch of the known store; `undefined` before the first catch-up of a client without positions. */
  epoch(): string | undefined;
  /** All watermarks that the server has not confirmed. */
  snapshot(): readonly Mark[];
  handleError(error: ChatError): void;
}

/**
 * Keeps unconfirmed watermarks in the storage, in one record per run: that of a run which ended early is taken over by a later
 * one. They only move forward, and say whether their reader saw the flag "unread": no harm is done when the server gets one
 * twice. One write at a time; while one is under way, the next gathers.
 */
export class MarkKeeper {
  readonly #options: MarkKeeperOptions;
  readonly #id = newId();
  /** Records of earlier runs. */
  #left: readonly MarksRecord[] = [];
  /** Ids of records whose watermarks are this run's now. */
  readonly #outdated: string[] = [];
  /** This run's record as it was written last. */
  #written = "[]";
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: MarkKeeperOptions) {
    this.#options = options;
  }

  /** Reads what earlier runs have left; {@link takeOver} it. */
  async load(): Promise<void> {
    this.#left = await this.#options.store.list();
  }

  /**
   * The watermarks of earlier runs, once, as soon as the epoch is known. Those of another epoch are dropped: their
   * numbers mean nothing.
   */
  takeOver(): readonly Mark[] {
    const epoch = this.#options.epoch();
    if (epoch === undefined || this.#left.length === 0) return [];
    const left = this.#left;
    this.#left = [];
    this.#outdated.push(...left.map(({ id }) => id));
    return left.flatMap((record) => (record.epoch === epoch ? record.marks : []));
  }

  /** Writes what has changed; resolves when it is written. The write begins in this turn. Never rejects. */
  flush(): Promise<void> {
    this.#next ??= this.#last.then(() => {
      this.#next = undefined;
      return this.#write();
    });
    this.#last = this.#next;
    return this.#next;
  }

  async #write(): Promise<void> {
    const { store, handleError } = this.#options;
    try {
      await this.#writeOwn();
      // Only now: this run's record holds their watermarks.
      for (const id of this.#outdated.splice(0)) await store.delete(id);
    } catch (cause) {
      handleError(new ChatError("internal", "the storage failed", { cause }));
    }
  }

  async #writeOwn(): Promise<void> {
    const { store, snapshot } = this.#options;
    const epoch = this.#options.epoch();
    const marks = snapshot();
    const text = JSON.stringify(marks);
    if (text === this.#written || epoch === undefined) return;
    await (marks.length === 0 ? store.delete(this.#id) : store.put({ id: this.#id, epoch, marks }));
    this.#written = text;
  }
}
