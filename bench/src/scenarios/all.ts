import type { BenchOptions } from "../bench-options.ts";
import { measureFsyncMs } from "../measure/fsync-time.ts";
import { readMachine } from "../measure/machine.ts";
import { isIntact } from "../report/faults.ts";
import { median } from "../report/median.ts";
import { reportTables } from "../report/tables.ts";
import { fillForChat21 } from "../targets/reading-source.ts";
import { startBareTarget } from "../targets/spawned-targets.ts";
import { startChat21Target } from "../targets/started-chat21-target.ts";
import { type CaseName, cases, type Measurement } from "./comparison.ts";
import { runScenario } from "./plain-scenario.ts";
import { isWhole, runReading } from "./reading.ts";
import { runStored } from "./stored.ts";

/**
 * Runs every case against bare aedes and Chat21 in turns, then the comparison of an empty with a full store, then reading;
 * prints every measurement and, at the end, the tables. Answers whether nothing was lost, duplicated or reordered.
 */
export async function runAll(options: BenchOptions, print: (line: object) => void): Promise<boolean> {
  const repeat = options.repeat(3);
  const measurements: Measurement[] = [];
  const fsyncsMs: number[] = [];
  for (let repetition = 1; repetition <= repeat; repetition++) {
    fsyncsMs.push(measureFsyncMs(options.dataDir));
    for (const name of Object.keys(cases) as CaseName[]) {
      // The targets take turns to begin, so that a drift of the machine hits both.
      const order = repetition % 2 === 1 ? (["bare", "chat21"] as const) : (["chat21", "bare"] as const);
      for (const target of order) {
        const measured = { case: name, target, repetition, ...(await measure(options, name, target)) };
        measurements.push(measured);
        const { result, ...head } = measured;
        const { scenario, ...parameters } = cases[name];
        print({ scenario, ...parameters, ...head, ...result, fsyncMs: fsyncsMs.at(-1) });
      }
    }
  }
  const stored = await runStored({ ...options, pairs: 20, window: 8, repetitions: 5 });
  print({ scenario: "stored", target: "chat21", ...stored });
  const reading = await runReading(() => fillForChat21(options.dataDir, options.reading), options, print);
  const fsyncMs = Number(median(fsyncsMs).toFixed(3));
  const measured = { repeat, measurements, stored, reading, fsyncMs, machine: readMachine() };
  process.stdout.write(`\n${reportTables(measured)}`);
  const results = [stored, ...measurements.map(({ result }) => result)];
  return isWhole(reading) && results.every(isIntact);
}

async function measure(options: BenchOptions, name: CaseName, kind: Measurement["target"]) {
  const { scenario, ...own } = cases[name];
  const parameters = { ...options.parameters, ...own };
  const { carrier, dataDir, cpuProfileDir } = options;
  const target =
    kind === "bare"
      ? await startBareTarget(carrier)
      : await startChat21Target({ carrier, parentFolder: dataDir, cpuProfileDir });
  try {
    return {
      result: await runScenario(scenario, target, parameters, options.times),
      readyMs: target.readyMs,
    };
  } finally {
    await target.close();
  }
}
