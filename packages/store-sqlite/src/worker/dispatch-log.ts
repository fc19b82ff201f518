/** Inclusive range of log positions. */
type Span = readonly [from: number, to: number];

/** The row of `meta` that holds the serialized log. */
export const dispatchedRow = "dispatched";

/**
 * Spans beyond the cursor that are kept across a restart: the first ones and the last. Events in other spans are
 * dispatched again then.
 */
const maxStoredSpans = 64;

/**
 * Which log positions were dispatched: all up to a cursor, and spans beyond it. Marks that come in order move the
 * cursor only. One event that cannot be dispatched costs one span, however many follow it.
 */
export class DispatchLog {
  #cursor = 0;
  /** Ascending, with a gap between any two and behind the cursor. */
  #spans: [number, number][] = [];

  /** The state as text; always small. */
  serialize(): string {
    const spans = this.#spans;
    const stored =
      spans.length <= maxStoredSpans ? spans : [...spans.slice(0, maxStoredSpans - 1), ...spans.slice(-1)];
    return JSON.stringify([this.#cursor, ...stored]);
  }

  static parse(text: string | undefined): DispatchLog {
    const log = new DispatchLog();
    if (text === undefined) return log;
    const [cursor, ...spans] = JSON.parse(text) as [number, ...[number, number][]];
    log.#cursor = cursor;
    log.#spans = spans;
    return log;
  }

  /** Marks the log positions `from`-`to`. */
  mark(from: number, to: number): void {
    let start = Math.max(from, this.#cursor + 1);
    let end = to;
    if (start > end) return;
    const first = this.#spans.findIndex((span) => span[1] >= start - 1);
    const at = first < 0 ? this.#spans.length : first;
    let touched = 0;
    for (
      let next = this.#spans[at];
      next !== undefined && next[0] <= end + 1;
      next = this.#spans[at + touched]
    ) {
      start = Math.min(start, next[0]);
      end = Math.max(end, next[1]);
      touched += 1;
    }
    this.#spans.splice(at, touched, [start, end]);
    const lowest = this.#spans[0];
    if (lowest === undefined || lowest[0] !== this.#cursor + 1) return;
    this.#cursor = lowest[1];
    this.#spans.shift();
  }

  /** Every log position up to here was dispatched. */
  get cursor(): number {
    return this.#cursor;
  }

  /** The highest log position that is marked. */
  get last(): number {
    return this.#spans.at(-1)?.[1] ?? this.#cursor;
  }

  /** Whether the log position is marked. */
  has(logPosition: number): boolean {
    return (
      logPosition <= this.#cursor ||
      this.#spans.some(([from, to]) => from <= logPosition && logPosition <= to)
    );
  }

  /** The spans up to `last` that are not marked, ascending. */
  open(last: number): Span[] {
    const open: Span[] = [];
    let from = this.#cursor + 1;
    for (const [start, end] of this.#spans) {
      if (from <= Math.min(start - 1, last)) open.push([from, Math.min(start - 1, last)]);
      from = end + 1;
    }
    if (from <= last) open.push([from, last]);
    return open;
  }
}
