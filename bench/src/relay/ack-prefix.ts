/**
 * Deliveries of a channel that are done, and the tag up to which all are done: one acknowledgement covers many
 * deliveries, and only those that are done.
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

  /** The tag up to which everything may be acknowledged now; `null` when an earlier call answered it. */
  take(): number | null {
    if (this.#acknowledged === this.#upTo) return null;
    this.#acknowledged = this.#upTo;
    return this.#upTo;
  }
}
