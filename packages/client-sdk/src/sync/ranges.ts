import type { Range } from "@chat21/protocol";

/** `ranges` (ascending, apart from each other) with `added` merged in. Empty ranges (from > to) are left out. */
export function addRange(ranges: readonly Range[], added: Range): readonly Range[] {
  let [from, to] = added;
  if (from > to) return ranges;
  const before: Range[] = [];
  const after: Range[] = [];
  for (const range of ranges) {
    if (range[1] < from - 1) before.push(range);
    else if (range[0] > to + 1) after.push(range);
    else {
      from = Math.min(from, range[0]);
      to = Math.max(to, range[1]);
    }
  }
  return [...before, [from, to], ...after];
}

/** The last number of the range that holds `seq`, or `null` when none does. */
export function rangeEnd(ranges: readonly Range[], seq: number): number | null {
  return ranges.find(([from, to]) => from <= seq && seq <= to)?.[1] ?? null;
}
