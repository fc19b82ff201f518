import type { Clock } from "../connection/clock.ts";

/** Settings of a {@link PositionCheck}. */
export interface PositionCheckOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Compares all positions with the server. */
  compare(): Promise<void>;
  handleFailure(thrown: unknown): void;
}

/** Several hints of the platform within this time lead to one comparison. */
const hintRestMs = 30_000;

/**
 * Compares positions from time to time while online. So it finds messages that a broker lost without closing the
 * connection.
 */
export class PositionCheck {
  readonly #options: PositionCheckOptions;
  #stopTimer: (() => void) | undefined;
  #comparedAt = 0;

  constructor(options: PositionCheckOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopTimer = this.#options.clock.after(this.#options.intervalMs, () => {
      this.#compare();
      this.start();
    });
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** Notes that a comparison was made. */
  note(): void {
    this.#comparedAt = this.#options.clock.now();
  }

  /** The page or the network seems to be back. No effect while stopped. */
  hint(): void {
    const isDue = this.#options.clock.now() - this.#comparedAt >= hintRestMs;
    if (this.#stopTimer !== undefined && isDue) this.#compare();
  }

  #compare(): void {
    const { compare, handleFailure } = this.#options;
    this.note();
    compare().catch(handleFailure);
  }
}
