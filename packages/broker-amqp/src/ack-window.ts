/**
 * Which deliveries of one channel are finished. Deliveries are numbered from 1 by the broker, and acknowledged as one
 * contiguous range, so that a message is never acknowledged before an earlier one.
 */
export class AckWindow {
  /** Finished out of turn. */
  readonly #ahead = new Set<number>();
  #finished = 0;
  #acknowledged = 0;

  finish(tag: number): void {
    if (tag !== this.#finished + 1) {
      if (tag > this.#finished) this.#ahead.add(tag);
      return;
    }
    this.#finished = tag;
    while (this.#ahead.size > 0 && this.#ahead.delete(this.#finished + 1)) this.#finished += 1;
  }

  /** The last tag of the finished range, once; 0 when nothing new is finished. */
  take(): number {
    if (this.#finished === this.#acknowledged) return 0;
    this.#acknowledged = this.#finished;
    return this.#finished;
  }
}
