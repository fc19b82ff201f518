import type { Clock } from "./ports/clock.ts";

/**
 * With more untaken deliveries than this, a broker is busy: the next batch may grow meanwhile, but only for this time.
 */
const bounds = { deliveries: 64, waitMs: 20 } as const;

/** Deliveries that were handed to an edge and are not taken yet. */
export class Backlog {
  readonly #clock: Pick<Clock, "delay">;
  #untaken = 0;
  #caughtUp: PromiseWithResolvers<void> | undefined;

  constructor(clock: Pick<Clock, "delay">) {
    this.#clock = clock;
  }

  /** Counts deliveries until they are taken. `taken` is the answer of the edge. */
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
   * `undefined` when the edge keeps up. Otherwise resolves when it has caught up, or after a moment: more writes in the
   * meantime would only wait behind the present ones, while gathered writes share a commit.
   */
  backpressure(): Promise<void> | undefined {
    if (this.#untaken <= bounds.deliveries) return undefined;
    this.#caughtUp ??= Promise.withResolvers<void>();
    return Promise.race([this.#caughtUp.promise, this.#clock.delay(bounds.waitMs)]);
  }
}
