import type { Clock } from "./ports/clock.ts";

/** A broker that has not taken so many deliveries yet is busy: the next batch may grow meanwhile, but only so long. */
const bounds = { deliveries: 64, waitMs: 20 } as const;

/** Deliveries that an edge was handed and has not taken yet. */
export class Backlog {
  readonly #clock: Pick<Clock, "delay">;
  #untaken = 0;
  #caughtUp: PromiseWithResolvers<void> | undefined;

  constructor(clock: Pick<Clock, "delay">) {
    this.#clock = clock;
  }

  /** Counts deliveries until they are taken; what an edge answers. */
  count(deliveries: number, taken: Promise<void> | undefined): Promise<void> | undefined {
    if (taken === undefined) return undefined;
    this.#untaken += deliveries;
    return taken.finally(() => {
      this.#untaken -= deliveries;
      if (this.#untaken > bounds.deliveries) return;
      this.#caughtUp?.resolve();
      this.#caughtUp = undefined;
    });
  }

  /**
   * `undefined` when the edge keeps up. Otherwise resolves when it has caught up, or after a moment: whoever writes more
   * meanwhile would only make it wait behind what is there already, and what is gathered shares a commit.
   */
  backpressure(): Promise<void> | undefined {
    if (this.#untaken <= bounds.deliveries) return undefined;
    this.#caughtUp ??= Promise.withResolvers<void>();
    return Promise.race([this.#caughtUp.promise, this.#clock.delay(bounds.waitMs)]);
  }
}
