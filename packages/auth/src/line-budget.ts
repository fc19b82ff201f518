import type { Clock } from "@chat21/engine";

const windowMs = 60_000;
const linesPerWindow = 10;

/** At most ten lines of a log a minute about what anybody can cause; the next line counts the others. */
export class LineBudget {
  readonly #clock: Pick<Clock, "elapsed">;
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #unsaid = 0;

  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  /** Takes a line. Answers how many had none since the last one; `null`: there is none left. */
  take(): { readonly unsaid: number } | null {
    const now = this.#clock.elapsed();
    if (now - this.#since >= windowMs) {
      this.#since = now;
      this.#lines = 0;
    }
    if (this.#lines >= linesPerWindow) {
      this.#unsaid += 1;
      return null;
    }
    this.#lines += 1;
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    return { unsaid };
  }
}
