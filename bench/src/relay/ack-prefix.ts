/**
 * Which deliveries of a channel are done, and up to which tag all are: one acknowledgement for many, and never one for
 * a delivery that is not done.
 */
export class AckPrefix {
  readonly #done = new Set<number>();
  #upTo = 0;
  #acknowledged = 0;

  /** Books the delivery with this tag (1, 2, 3 …) as done. */
  finish(tag: number): void {
    this.#done.add(tag);
    while (this.#done.delete(this.#upTo + 1)) this.#upTo++;
  }

  /** The tag up to which everything may be acknowledged now; `null` when that has been said. */
  take(): number | null {
    if (this.#acknowledged === this.#upTo) return null;
    this.#acknowledged = this.#upTo;
    return this.#upTo;
  }
}
