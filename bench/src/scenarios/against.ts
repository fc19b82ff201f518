import { resolve } from "node:path";
import type { BenchOptions } from "../bench-options.ts";
import { measureFsyncMs } from "../measure/fsync-time.ts";
import { readMachine } from "../measure/machine.ts";
import { againstTable } from "../report/against-table.ts";
import { isIntact } from "../report/faults.ts";
import { machineSentence } from "../report/markdown.ts";
import { ownCheckout } from "../targets/checkout.ts";
import { type TargetSource, targetSource } from "../targets/target-source.ts";
import { cases } from "./comparison.ts";
import {
  isPlainScenario,
  type Parameters,
  type PlainScenario,
  parametersOf,
  runScenario,
} from "./plain-scenario.ts";
import type { SideMeasurement } from "./side-measurement.ts";

type Cases = Readonly<Record<string, { readonly scenario: PlainScenario } & Partial<Parameters>>>;

const targets = ["chat21", "cluster", "cluster-no-events", "nodes", "nodes-no-events"];

/**
 * Drives the built servers of two checkouts in turns, with the same generator and, on RabbitMQ, the same services;
 * prints every measurement and, at the end, medians and ratios. Answers whether nothing was lost, duplicated or reordered.
 */
export async function runAgainst(
  options: BenchOptions,
  otherCheckout: string,
  print: (line: object) => void,
): Promise<boolean> {
  if (!targets.includes(options.target)) {
    throw new Error(`--against: expected --target ${targets.join(" or ")}, got ${options.target}`);
  }
  const chosen = casesOf(options.scenario);
  const checkouts = { old: resolve(otherCheckout), new: ownCheckout };
  const withApi = Object.values(chosen).some(({ scenario }) => scenario === "group");
  const source = await targetSource(options, withApi);
  const measurements: SideMeasurement[] = [];
  try {
    for (let repetition = 1; repetition <= options.repeat(3); repetition++) {
      for (const [name, { scenario, ...own }] of Object.entries(chosen)) {
        // The sides take turns to begin, so that a drift of the machine hits both.
        for (const side of repetition % 2 === 1 ? (["old", "new"] as const) : (["new", "old"] as const)) {
          const parameters = { ...options.parameters, ...own };
          const measured = await measure(source, checkouts[side], scenario, { ...options, parameters });
          measurements.push({ case: name, side, repetition, ...measured });
          const { result, readyMs } = measured;
          const asked = { scenario, case: name, ...parametersOf(scenario, parameters) };
          print({ ...asked, target: options.target, side, repetition, ...result, readyMs });
        }
      }
    }
  } finally {
    await source.close();
  }
  const machine = machineSentence(readMachine(), measureFsyncMs(options.dataDir));
  process.stdout.write(`\n${machine}\n\n${againstTable(measurements)}\n`);
  return measurements.every(({ result }) => isIntact(result));
}

function casesOf(scenario: string): Cases {
  if (scenario === "all") return cases;
  if (!isPlainScenario(scenario)) throw new Error(`--against: there is no comparison of ${scenario}`);
  return { [scenario]: { scenario } };
}

async function measure(
  source: TargetSource,
  checkout: string,
  scenario: PlainScenario,
  { parameters, times }: Pick<BenchOptions, "parameters" | "times">,
): Promise<Pick<SideMeasurement, "readyMs" | "result">> {
  const target = await source.open(checkout);
  try {
    return { result: await runScenario(scenario, target, parameters, times), readyMs: target.readyMs };
  } finally {
    await target.close();
  }
}
