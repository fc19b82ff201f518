/** Who has what, when it is decided. */
export interface ShareSituation {
  /** Number of partitions. */
  readonly partitions: number;
  /** This process. */
  readonly self: string;
  /** Processes that live, in any order; this one counts whether it is named or not. */
  readonly observers: readonly string[];
  /** Partitions that this process has. */
  readonly own: readonly number[];
  /** Partitions that others have, living or not. */
  readonly foreign: ReadonlySet<number>;
}

/** What this process does about it. */
export interface ShareDecision {
  readonly release: readonly number[];
  readonly take: readonly number[];
}

/**
 * How many partitions are the share of `self`: equal ones, and one more for the first observers by name while there is
 * a remainder.
 */
export function shareOf(self: string, observers: readonly string[], partitions: number): number {
  const names = [...new Set([...observers, self])].sort();
  const remainder = partitions % names.length;
  return Math.floor(partitions / names.length) + (names.indexOf(self) < remainder ? 1 : 0);
}

/**
 * What to give up and what to take, so that everybody comes to have their share. Nothing moves once they have. Free
 * ones are tried from a place of one's own on, so that two processes seldom reach for the same.
 */
export function decideShare({ partitions, self, observers, own, foreign }: ShareSituation): ShareDecision {
  const share = shareOf(self, observers, partitions);
  if (own.length >= share) return { release: [...own].sort((a, b) => a - b).slice(share), take: [] };
  const names = [...new Set([...observers, self])].sort();
  const start = Math.floor((names.indexOf(self) * partitions) / names.length);
  const free: number[] = [];
  for (let step = 0; step < partitions; step += 1) {
    const partition = (start + step) % partitions;
    if (!foreign.has(partition) && !own.includes(partition)) free.push(partition);
  }
  return { release: [], take: free.slice(0, share - own.length) };
}
