import type { Faults } from "../report/faults.ts";
import { sumFaults } from "../report/faults.ts";
import { median } from "../report/median.ts";
import type { Carrier } from "../targets/carrier.ts";
import { startCluster } from "../targets/cluster.ts";
import type { ServiceSet } from "../targets/service-set.ts";
import { runPairs } from "./closed-loop.ts";
import type { RunResult, RunTimes } from "./measured-run.ts";

/** The cost or gain of the second observer. The ratio is two to one, the median over the repetitions. */
export interface TwoObserversResult extends Faults {
  readonly repetitions: readonly { readonly one: ObserversSide; readonly two: ObserversSide }[];
  readonly rateRatio: number;
}

/** One measurement. */
type ObserversSide = Pick<
  RunResult,
  "messagesPerSecond" | "p50Ms" | "p99Ms" | "cpuSecondsPer1000" | keyof Faults
>;

/** Options of {@link runTwoObservers}. */
export interface TwoObserversOptions {
  readonly pairs: number;
  readonly window: number;
  readonly repetitions: number;
  readonly carrier: Carrier;
  readonly events: boolean;
  readonly times: RunTimes;
}

/** Drives pairs against one observer and two, in turns; every measurement starts them anew. */
export async function runTwoObservers(
  services: ServiceSet,
  options: TwoObserversOptions,
): Promise<TwoObserversResult> {
  const repetitions: { one: ObserversSide; two: ObserversSide }[] = [];
  for (let i = 0; i < options.repetitions; i++) {
    // The two take turns to begin, so that a drift of the machine hits both.
    const before = i % 2 === 1 ? await measureSide(services, 2, options) : null;
    const one = await measureSide(services, 1, options);
    repetitions.push({ one, two: before ?? (await measureSide(services, 2, options)) });
  }
  const ratios = repetitions.map(({ one, two }) => two.messagesPerSecond / one.messagesPerSecond);
  return {
    repetitions,
    rateRatio: Number(median(ratios).toFixed(3)),
    ...sumFaults(repetitions.flatMap(({ one, two }) => [one, two])),
  };
}

async function measureSide(
  services: ServiceSet,
  observers: number,
  { carrier, events, pairs, window, times }: TwoObserversOptions,
): Promise<ObserversSide> {
  const { target } = await startCluster(services, { carrier, events, observers, withApi: false });
  try {
    const result = await runPairs(target, { pairs, window, ...times });
    const { messagesPerSecond, p50Ms, p99Ms, cpuSecondsPer1000, lost, duplicated, reordered } = result;
    return { messagesPerSecond, p50Ms, p99Ms, cpuSecondsPer1000, lost, duplicated, reordered };
  } finally {
    await target.close();
  }
}
