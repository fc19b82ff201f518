import type { Interval } from "@chat21/engine";

/** Inclusive range of numbers. */
export type Span = readonly [from: number, to: number];

/** A number beyond all others. */
const endless = Number.MAX_SAFE_INTEGER;

/** The parts of `intervals` inside `from`-`to`, ascending. */
export function clip(intervals: readonly Interval[], from: number, to: number): Span[] {
  const spans: Span[] = [];
  for (const [start, end] of intervals) {
    const span = [Math.max(start, from), Math.min(end ?? endless, to)] as const;
    if (span[0] <= span[1]) spans.push(span);
  }
  return spans;
}
