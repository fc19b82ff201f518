import { type BenchOptions, parseOptions, usage } from "./bench-options.ts";
import { measureFsyncMs } from "./measure/fsync-time.ts";
import { isIntact } from "./report/faults.ts";
import { runAgainst } from "./scenarios/against.ts";
import { runAll } from "./scenarios/all.ts";
import { runClusterAll } from "./scenarios/cluster-all.ts";
import { runFailover } from "./scenarios/failover.ts";
import {
  isPlainScenario,
  type PlainScenario,
  parametersOf,
  runScenario,
} from "./scenarios/plain-scenario.ts";
import { isWhole, runReading } from "./scenarios/reading.ts";
import { runStored } from "./scenarios/stored.ts";
import { runTwoObservers } from "./scenarios/two-observers.ts";
import { fillForChat21, fillForCluster } from "./targets/reading-source.ts";
import { startServiceSet } from "./targets/service-set.ts";
import { targetSource } from "./targets/target-source.ts";

/** Runs the scenario that the command line asks for. Sets the exit code. */
export async function bench(args: readonly string[]): Promise<void> {
  try {
    const options = parseOptions(args);
    if (options.help) {
      process.stdout.write(usage);
      return;
    }
    if (!(await run(options))) process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function run(options: BenchOptions): Promise<boolean> {
  const { scenario, against } = options;
  if (against !== undefined) return runAgainst(options, against, printLine);
  switch (scenario) {
    case "all":
      return (options.target === "cluster" ? runClusterAll : runAll)(options, printLine);
    case "stored": {
      const result = await runStored({ ...options, ...options.parameters, repetitions: options.repeat(5) });
      printLine({ scenario, target: "chat21", ...result });
      return isIntact(result);
    }
    case "reading":
      return runReadings(options);
    case "two-observers":
      return runObservers(options);
    case "failover":
      return runFailovers(options);
    default:
      if (!isPlainScenario(scenario)) throw new Error(`--scenario: there is no ${scenario}`);
      return runPlain(options, scenario);
  }
}

async function runPlain(options: BenchOptions, scenario: PlainScenario): Promise<boolean> {
  const source = await targetSource(options, scenario === "group");
  let intact = true;
  try {
    for (let i = 0; i < options.repeat(1); i++) {
      const target = await source.open();
      try {
        const result = await runScenario(scenario, target, options.parameters, options.times);
        const { name, url, readyMs } = target;
        const asked = parametersOf(scenario, options.parameters);
        const fsyncMs = measureFsyncMs(options.dataDir);
        const carrier = new URL(url).protocol.slice(0, -1);
        printLine({ scenario, target: name, carrier, ...asked, ...result, readyMs, fsyncMs });
        intact &&= isIntact(result);
      } finally {
        await target.close();
      }
    }
  } finally {
    await source.close();
  }
  return intact;
}

async function runReadings(options: BenchOptions): Promise<boolean> {
  const { dataDir, reading, target } = options;
  if (target === "chat21")
    return isWhole(await runReading(() => fillForChat21(dataDir, reading), options, printLine));
  if (target !== "cluster")
    throw new Error(`--scenario reading: expected --target chat21 or cluster, got ${target}`);
  const services = await startServiceSet({ parentFolder: dataDir, for: "cluster" });
  try {
    return isWhole(await runReading(() => fillForCluster(services, reading), options, printLine));
  } finally {
    await services.close();
  }
}

async function runObservers(options: BenchOptions): Promise<boolean> {
  const services = await startServiceSet({ parentFolder: options.dataDir, for: "cluster" });
  try {
    const load = { ...options, ...options.parameters, events: true, repetitions: options.repeat(3) };
    const result = await runTwoObservers(services, load);
    printLine({ scenario: "two-observers", target: "cluster", ...result });
    return isIntact(result);
  } finally {
    await services.close();
  }
}

async function runFailovers(options: BenchOptions): Promise<boolean> {
  const services = await startServiceSet({ parentFolder: options.dataDir, for: "cluster" });
  let intact = true;
  try {
    for (let i = 0; i < options.repeat(1); i++) {
      for (const fault of options.faults) {
        const { carrier, client, parameters } = options;
        const asked = { fault, client, pairs: parameters.pairs, rate: parameters.rate };
        const result = await runFailover(services, { ...asked, carrier, events: true });
        printLine({ scenario: "failover", target: "cluster", ...asked, ...result });
        intact &&= isIntact(result);
      }
    }
  } finally {
    await services.close();
  }
  return intact;
}

function printLine(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
