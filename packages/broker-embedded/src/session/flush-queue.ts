/** Something that collects output during a turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/**
 * Lets every connection write once per turn: whatever is sent while the loop handles what has arrived, and while the
 * engine commits and delivers, leaves together right after.
 */
export class FlushQueue {
  #waiting: Flushable[] = [];
  readonly #flushAll = () => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one.flush();
  };

  /** `one` must not be added again before it was flushed. */
  add(one: Flushable): void {
    if (this.#waiting.length === 0) setImmediate(this.#flushAll);
    this.#waiting.push(one);
  }
}
