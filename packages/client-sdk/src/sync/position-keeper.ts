import type { Clock } from "../connection/clock.ts";
import type { Positions } from "./positions.ts";

/** Settings of a {@link PositionKeeper}. */
export interface PositionKeeperOptions {
  readonly clock: Clock;
  snapshot(): Positions | undefined;
  put(positions: Positions): Promise<void>;
  handleError(thrown: unknown): void;
}

const gatherMs = 1_000;

/** Stores the positions, at most once a second, one write at a time. */
export class PositionKeeper {
  readonly #options: PositionKeeperOptions;
  #stopTimer: (() => void) | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(options: PositionKeeperOptions) {
    this.#options = options;
  }

  /** Notes that the positions moved. */
  touch(): void {
    this.#stopTimer ??= this.#options.clock.after(gatherMs, () => void this.flush());
  }

  /** Writes unsaved positions; resolves when they are written. */
  flush(): Promise<void> {
    if (this.#stopTimer !== undefined) {
      this.#stopTimer();
      this.#stopTimer = undefined;
      this.#written = this.#written.then(() => this.#write());
    }
    return this.#written;
  }

  async #write(): Promise<void> {
    const positions = this.#options.snapshot();
    if (positions === undefined) return;
    try {
      await this.#options.put(positions);
    } catch (thrown) {
      this.#options.handleError(thrown);
    }
  }
}
