import { type Faults, sumFaults } from "../report/faults.ts";
import { median } from "../report/median.ts";
import type { Carrier } from "../targets/carrier.ts";
import { fillDataFolder } from "../targets/filled-data-folder.ts";
import { startChat21Target } from "../targets/started-chat21-target.ts";
import { pairPlans, runPairs } from "./closed-loop.ts";
import type { RunResult, RunTimes } from "./measured-run.ts";

/** The cost of a full store. Ratios are full to empty, each the median over the repetitions. */
export interface StoredResult extends Faults {
  readonly messages: number;
  readonly filledThrough: "the store's port";
  readonly filledInSeconds: number;
  readonly databaseMiB: number;
  readonly repetitions: readonly { readonly empty: StoredSide; readonly full: StoredSide }[];
  readonly rateRatio: number;
  readonly cpuRatio: number;
  readonly mainThreadCpuRatio: number;
}

/** One measurement. */
type StoredSide = Pick<
  RunResult,
  | "messagesPerSecond"
  | "p50Ms"
  | "p99Ms"
  | "cpuSecondsPer1000"
  | "mainThreadCpuSecondsPer1000"
  | "residentMiB"
  | keyof Faults
> & { readonly readyMs: number | null };

/** Options of {@link runStored}. */
export interface StoredOptions {
  readonly messages: number;
  readonly pairs: number;
  readonly window: number;
  readonly repetitions: number;
  readonly carrier: Carrier;
  /** Where data folders are made. */
  readonly dataDir: string;
  readonly times: RunTimes;
}

/**
 * Drives pairs against a server with an empty store and one with `messages` in it, in turns; every measurement starts
 * its server anew. The pairs are among the people of the full store and have a history there.
 */
export async function runStored(options: StoredOptions): Promise<StoredResult> {
  const pairs = pairPlans(options.pairs).map(({ sender, recipient }) => [sender, recipient] as const);
  const filled = await fillDataFolder(options.dataDir, { messages: options.messages, pairs });
  try {
    const repetitions: { empty: StoredSide; full: StoredSide }[] = [];
    for (let i = 0; i < options.repetitions; i++) {
      const measureFull = () => measureSide(options, filled.path);
      // The two take turns to begin, so that a drift of the machine hits both.
      const before = i % 2 === 1 ? await measureFull() : null;
      const empty = await measureSide(options);
      repetitions.push({ empty, full: before ?? (await measureFull()) });
    }
    const { databaseMiB, seconds } = filled;
    const head = {
      messages: options.messages,
      filledThrough: "the store's port",
      filledInSeconds: seconds,
    } as const;
    return { ...head, databaseMiB, ...compare(repetitions) };
  } finally {
    filled.remove();
  }
}

async function measureSide(options: StoredOptions, dataFolder?: string): Promise<StoredSide> {
  const { carrier, dataDir, times, pairs, window } = options;
  const own = dataFolder === undefined ? {} : { dataFolder };
  const target = await startChat21Target({ carrier, parentFolder: dataDir, ...own });
  try {
    const result = await runPairs(target, { pairs, window, ...times });
    const { messagesPerSecond, p50Ms, p99Ms, cpuSecondsPer1000, mainThreadCpuSecondsPer1000 } = result;
    const { lost, duplicated, reordered, residentMiB } = result;
    const cpu = { cpuSecondsPer1000, mainThreadCpuSecondsPer1000, residentMiB };
    return {
      ...{ messagesPerSecond, p50Ms, p99Ms, ...cpu, lost, duplicated, reordered },
      readyMs: target.readyMs,
    };
  } finally {
    await target.close();
  }
}

function compare(repetitions: readonly { readonly empty: StoredSide; readonly full: StoredSide }[]) {
  const ratio = (of: "messagesPerSecond" | "cpuSecondsPer1000" | "mainThreadCpuSecondsPer1000") =>
    Number(median(repetitions.map(({ full, empty }) => (full[of] ?? 0) / (empty[of] ?? 0))).toFixed(3));
  return {
    repetitions,
    rateRatio: ratio("messagesPerSecond"),
    cpuRatio: ratio("cpuSecondsPer1000"),
    mainThreadCpuRatio: ratio("mainThreadCpuSecondsPer1000"),
    ...sumFaults(repetitions.flatMap(({ full, empty }) => [full, empty])),
  };
}
