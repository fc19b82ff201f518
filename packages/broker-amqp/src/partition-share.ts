/** The situation in which shares are decided. */
export interface ShareSituation {
  /** Number of partitions. */
  readonly partitions: number;
  /** This process. */
  readonly self: string;
  /** Processes that live, in any order; this one always counts, even when it is not named. */
  readonly observers: readonly string[];
  /** Partitions that this process has. */
  readonly own: readonly number[];
  /** Partitions that others have, living or not. */
  readonly foreign: ReadonlySet<number>;
}

/** The partitions that this process takes and gives up. */
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
 * Partitions to give up and to take, so that every process gets its share. Nothing moves once all have theirs. Each
 * process tries free partitions from a place of its own on, so that two seldom reach for the same.
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
