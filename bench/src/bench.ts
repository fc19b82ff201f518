import { type BenchOptions, parseOptions, usage } from "./bench-options.ts";
import { measureFsyncMs } from "./measure/fsync-time.ts";
import { isIntact } from "./report/faults.ts";
import { runAll } from "./scenarios/all.ts";
import {
  isPlainScenario,
  type PlainScenario,
  parametersOf,
  runScenario,
} from "./scenarios/plain-scenario.ts";
import { runStored } from "./scenarios/stored.ts";
import { openChat21Target } from "./targets/chat21-target.ts";
import { startBareTarget, startEdgeTarget } from "./targets/spawned-targets.ts";
import { startChat21Target } from "./targets/started-chat21-target.ts";
import type { Target } from "./targets/target.ts";

/** Runs what the command line asks for. Sets the exit code. */
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
  const { scenario } = options;
  if (scenario === "all") return runAll(options, printLine);
  if (scenario === "stored") {
    const result = await runStored({ ...options, ...options.parameters, repetitions: options.repeat(5) });
    printLine({ scenario, target: "chat21", ...result });
    return isIntact(result);
  }
  if (!isPlainScenario(scenario)) throw new Error(`--scenario: there is no ${scenario}`);
  return runPlain(options, scenario);
}

async function runPlain(options: BenchOptions, scenario: PlainScenario): Promise<boolean> {
  let intact = true;
  for (let i = 0; i < options.repeat(1); i++) {
    const target = await openTarget(options);
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
  return intact;
}

function openTarget(options: BenchOptions): Promise<Target> | Target {
  const { carrier, target, secret, api, pid, dataDir, cpuProfileDir } = options;
  switch (target) {
    case "bare":
      return startBareTarget(carrier);
    case "edge":
      return startEdgeTarget(carrier);
    case "chat21":
      return startChat21Target({ carrier, parentFolder: dataDir, cpuProfileDir });
    default:
      if (!URL.canParse(target)) throw new Error(`--target: there is no ${target}`);
      return openChat21Target({ name: target, url: target, secret, apiUrl: api, pid });
  }
}

function printLine(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
