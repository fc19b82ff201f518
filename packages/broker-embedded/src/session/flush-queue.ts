/**
 * Lets every connection write once per turn of the event loop. Output from reading, committing and delivering in one
 * turn leaves together at its end.
 */
export class FlushQueue {
  #waiting: Flushable[] = [];
  readonly #flushAll = () => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one.flush();
  };

  /** Adds `one`. It must not be added again before it was flushed. */
  add(one: Flushable): void {
    if (this.#waiting.length === 0) setImmediate(this.#flushAll);
    this.#waiting.push(one);
  }
}

/** A collector of output during one turn of the event loop. */
export interface Flushable {
  flush(): void;
}
