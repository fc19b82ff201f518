import { topologyLimits } from "@chat21/broker-amqp";

const pollMs = 50;
const patienceMs = 30_000;

/** Resolves with the number of partitions of each observer, when all are consumed and evenly shared. */
export async function partitionsShared(metricsUrls: readonly string[]): Promise<readonly number[]> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const shares = await Promise.all(metricsUrls.map(readShare));
    if (isEven(shares)) return shares;
    if (performance.now() > deadlineMs) {
      throw new Error(`the observers hold ${shares.join(" and ")} partitions after ${patienceMs / 1_000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Whether the shares cover every partition once, and no two shares differ by more than one. */
export function isEven(shares: readonly number[]): boolean {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum === topologyLimits.partitions && Math.max(...shares) - Math.min(...shares) <= 1;
}

async function readShare(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const found = /^chat21_partitions(?:\{[^}]*\})? (\d+)$/m.exec(text);
  if (found === null) throw new Error(`${metricsUrl} does not say how many partitions are consumed there`);
  return Number(found[1]);
}
