import type { Clock } from "./ports/clock.ts";
import type { RateLimiter } from "./rate-limiter.ts";

/** Someone who waits: what it costs, and how it goes on. */
interface Waiting {
  readonly cost: number;
  readonly resume: () => void;
}

/** Makes the error for work that may not wait. */
type Refuse = (retryAfterMs: number) => Error;

/** What is told when the queue is full. */
const retryAfterMs = 1_000;

/** Lets work of the same key go on as fast as a rate allows, first come, first served. Nothing is kept for keys without waiting work. */
export class Turns {
  readonly #rate: RateLimiter;
  readonly #clock: Pick<Clock, "every">;
  readonly #queues = new Map<string, Waiting[]>();
  /** Ways to cancel the timers of the keys. */
  readonly #timers = new Map<string, () => void>();
  #isOpen = false;

  constructor(rate: RateLimiter, clock: Pick<Clock, "every">) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /**
   * `undefined` when the work may go on at once; otherwise resolves when its turn has come. Where `most` wait already, throws
   * what `refuse` makes of the time to wait.
   * @param cost at most the rate's capacity
   */
  enter(key: string, cost: number, most: number, refuse: Refuse): Promise<void> | undefined {
    if (this.#isOpen) return undefined;
    const queue = this.#queues.get(key);
    if (queue !== undefined && queue.length >= most) throw refuse(retryAfterMs);
    if (queue !== undefined) return new Promise((resume) => queue.push({ cost, resume }));
    const waitMs = this.#rate.take(key, cost);
    if (waitMs === 0) return undefined;
    if (most === 0) throw refuse(waitMs);
    return new Promise((resume) => {
      this.#queues.set(key, [{ cost, resume }]);
      this.#wait(key, waitMs);
    });
  }

  /** Everybody may go on, now and later. */
  open(): void {
    this.#isOpen = true;
    for (const cancel of this.#timers.values()) cancel();
    for (const queue of this.#queues.values()) for (const { resume } of queue) resume();
    this.#timers.clear();
    this.#queues.clear();
  }

  #wait(key: string, waitMs: number): void {
    const cancel = this.#clock.every(waitMs, () => {
      cancel();
      this.#proceed(key);
    });
    this.#timers.set(key, cancel);
  }

  #proceed(key: string): void {
    const queue = this.#queues.get(key) ?? [];
    let resumed = 0;
    for (const { cost, resume } of queue) {
      const waitMs = this.#rate.take(key, cost);
      if (waitMs > 0) {
        queue.splice(0, resumed);
        this.#wait(key, waitMs);
        return;
      }
      resume();
      resumed++;
    }
    this.#queues.delete(key);
    this.#timers.delete(key);
  }
}
