/** The gaps in several streams that should flow evenly. */
export class Gaps {
  readonly #lastMs: Float64Array;
  readonly #longestMs: Float64Array;

  constructor(streams: number, nowMs: number) {
    this.#lastMs = new Float64Array(streams).fill(nowMs);
    this.#longestMs = new Float64Array(streams);
  }

  /** Notes that something came on a stream. */
  note(stream: number, nowMs: number): void {
    const gapMs = nowMs - (this.#lastMs[stream] as number);
    if (gapMs > (this.#longestMs[stream] as number)) this.#longestMs[stream] = gapMs;
    this.#lastMs[stream] = nowMs;
  }

  /**
   * The longest gap of any stream since the last call, also one that has not ended. It is counted from the gap's
   * beginning, which may lie before the last call. Milliseconds.
   */
  take(nowMs: number): number {
    let longestMs = 0;
    for (let stream = 0; stream < this.#lastMs.length; stream++) {
      const openMs = nowMs - (this.#lastMs[stream] as number);
      longestMs = Math.max(longestMs, this.#longestMs[stream] as number, openMs);
      this.#longestMs[stream] = 0;
    }
    return longestMs;
  }
}
