/** The smallest of the sorted values that at least `share` (0-1) of them do not exceed; NaN when there are none. */
export function percentile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}
