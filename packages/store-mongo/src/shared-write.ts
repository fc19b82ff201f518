/**
 * One write at a time. Callers that ask while a write is under way share the next one. So under load each round trip
 * carries everything that came during the one before, and no caller waits for a timer.
 */
export class SharedWrite {
  readonly #write: () => Promise<void>;
  #underWay: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(write: () => Promise<void>) {
    this.#write = write;
  }

  /** The write that is under way now; resolved when there is none. */
  current(): Promise<void> {
    return this.#underWay ?? Promise.resolve();
  }

  /** A write that begins after this call; rejects when that one fails. */
  ask(): Promise<void> {
    if (this.#next !== null) return this.#next;
    if (this.#underWay === null) return this.#begin();
    this.#next = this.#underWay.catch(() => {}).then(() => this.#begin());
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#next = null;
    this.#underWay = this.#write().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }
}
