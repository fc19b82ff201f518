import type { Interval } from "@chat21/engine";

/** The parts of `intervals` that lie in `first`…`last`, both inclusive, ascending. */
export function clip(
  intervals: readonly Interval[],
  first: number,
  last: number,
): (readonly [from: number, to: number])[] {
  return intervals
    .map(([from, to]) => [Math.max(from, first), Math.min(to ?? last, last)] as const)
    .filter(([from, to]) => from <= to);
}
