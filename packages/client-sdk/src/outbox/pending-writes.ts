/** Counts writes under way, and wakes callers that wait for a quiet moment. */
export class PendingWrites {
  readonly #handleFailure: (thrown: unknown) => void;
  #count = 0;
  #waiting: (() => void)[] = [];

  constructor(handleFailure: (thrown: unknown) => void) {
    this.#handleFailure = handleFailure;
  }

  /** Follows a write to its end; never rejects. */
  async track(written: Promise<void>): Promise<void> {
    this.#count += 1;
    try {
      await written;
    } catch (thrown) {
      this.#handleFailure(thrown);
    } finally {
      this.#count -= 1;
      this.wake();
    }
  }

  /** Checks the waiting callers again after a change. */
  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when no write is under way and `isQuiet` holds. */
  async untilQuiet(isQuiet: () => boolean): Promise<void> {
    while (this.#count > 0 || !isQuiet()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
