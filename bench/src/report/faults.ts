/** Faults that must never happen to a message. */
export interface Faults {
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
}

/** Whether nothing was lost, duplicated or reordered, as far as the result counts messages at all. */
export function isIntact(result: object): boolean {
  const { lost = 0, duplicated = 0, reordered = 0 } = result as Partial<Faults>;
  return lost + duplicated + reordered === 0;
}

/** The sum over several runs. */
export function sumFaults(results: readonly Faults[]): Faults {
  const sum = { lost: 0, duplicated: 0, reordered: 0 };
  for (const { lost, duplicated, reordered } of results) {
    sum.lost += lost;
    sum.duplicated += duplicated;
    sum.reordered += reordered;
  }
  return sum;
}
