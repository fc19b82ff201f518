import type { BenchOptions } from "../bench-options.ts";
import { measureFsyncMs } from "../measure/fsync-time.ts";
import { readMachine } from "../measure/machine.ts";
import { clusterReport } from "../report/cluster-tables.ts";
import { isIntact } from "../report/faults.ts";
import { median } from "../report/median.ts";
import { fillForCluster } from "../targets/reading-source.ts";
import { type ServiceSet, type ServiceSetOptions, startServiceSet } from "../targets/service-set.ts";
import { openOnServices, type ServiceTargetName, servicesFor } from "../targets/service-targets.ts";
import {
  type ClusterCaseName,
  type ClusterMeasurement,
  clusterCases,
  type FailoverMeasurement,
} from "./cluster-comparison.ts";
import { observerFaults, runFailover } from "./failover.ts";
import type { RunResult } from "./measured-run.ts";
import { runScenario } from "./plain-scenario.ts";
import { isWhole, runReading } from "./reading.ts";
import { runTwoObservers } from "./two-observers.ts";

/** Brokers are warm when they are measured, and paused while another one is measured. */
type Grounds = Readonly<Record<ServiceSetOptions["for"], ServiceSet>>;

type Print = (line: object) => void;

/**
 * Runs every case against the relay, RabbitMQ alone and the cluster in turns, each on a broker of its own, then one
 * observer and two, then the faults, then reading; prints every measurement and, at the end, the tables. Answers whether nothing was
 * lost, duplicated or reordered.
 */
export async function runClusterAll(options: BenchOptions, print: Print): Promise<boolean> {
  const repeat = options.repeat(3);
  const grounds = await startGrounds(options.dataDir);
  try {
    const fsyncsMs: number[] = [];
    const measurements: ClusterMeasurement[] = [];
    for (let repetition = 1; repetition <= repeat; repetition++) {
      fsyncsMs.push(measureFsyncMs(options.dataDir));
      measurements.push(...(await measureCases(options, grounds, repetition, print)));
    }
    grounds.cluster.resume();
    const { carrier, times } = options;
    const load = { carrier, times, events: true, pairs: 20, window: 8, repetitions: repeat };
    const twoObservers = await runTwoObservers(grounds.cluster, load);
    print({ scenario: "two-observers", target: "cluster", ...twoObservers });
    const failovers = await measureFailovers(options, grounds.cluster, repeat, print);
    const reading = await runReading(() => fillForCluster(grounds.cluster, options.reading), options, print);
    const fsyncMs = Number(median(fsyncsMs).toFixed(3));
    const machine = readMachine();
    const measured = { repeat, measurements, twoObservers, failovers, reading, fsyncMs, machine };
    process.stdout.write(`\n${clusterReport(measured)}`);
    const results = [twoObservers, ...[...measurements, ...failovers].map(({ result }) => result)];
    return isWhole(reading) && results.every(isIntact);
  } finally {
    await Promise.all(Object.values(grounds).map((services) => services.close()));
  }
}

async function startGrounds(parentFolder: string): Promise<Grounds> {
  const started: ServiceSet[] = [];
  const start = async (what: ServiceSetOptions["for"]) => {
    const services = await startServiceSet({ parentFolder, for: what });
    started.push(services);
    return services;
  };
  try {
    // One after the other: a start takes both cores.
    const grounds = {
      nothing: await start("nothing"),
      partitions: await start("partitions"),
      cluster: await start("cluster"),
    };
    for (const services of started) services.pause();
    return grounds;
  } catch (error) {
    await Promise.all(started.map((services) => services.close()));
    throw error;
  }
}

async function measureCases(
  options: BenchOptions,
  grounds: Grounds,
  repetition: number,
  print: Print,
): Promise<ClusterMeasurement[]> {
  const measurements: ClusterMeasurement[] = [];
  for (const name of Object.keys(clusterCases) as ClusterCaseName[]) {
    const { scenario, parameters, against } = clusterCases[name];
    // The targets take turns to begin, so that a drift of the machine hits all.
    for (const target of repetition % 2 === 1 ? against : [...against].reverse()) {
      const result = await measure(options, grounds[servicesFor[target]], name, target);
      measurements.push({ case: name, target, repetition, result });
      print({ scenario, ...parameters, case: name, target, repetition, ...result });
    }
  }
  return measurements;
}

async function measure(
  options: BenchOptions,
  services: ServiceSet,
  name: ClusterCaseName,
  kind: ServiceTargetName,
): Promise<RunResult> {
  services.resume();
  try {
    const { carrier, cpuProfileDir } = options;
    const { scenario, parameters } = clusterCases[name];
    const cluster = { observers: 1, nodes: 1, withApi: scenario === "group", cpuProfileDir };
    const target = await openOnServices(services, kind, { carrier, ...cluster });
    try {
      const all = { ...options.parameters, ...parameters };
      return (await runScenario(scenario, target, all, options.times)) as RunResult;
    } finally {
      await target.close();
    }
  } finally {
    services.pause();
  }
}

async function measureFailovers(
  options: BenchOptions,
  services: ServiceSet,
  repeat: number,
  print: Print,
): Promise<FailoverMeasurement[]> {
  const failovers: FailoverMeasurement[] = [];
  const load = { carrier: options.carrier, events: true, ...failoverLoad };
  for (let repetition = 1; repetition <= repeat; repetition++) {
    for (const fault of observerFaults) {
      const client = repetition % 2 === 1 ? "sdk" : "old";
      const result = await runFailover(services, { ...load, fault, client });
      failovers.push({ fault, client, result });
      print({
        scenario: "failover",
        target: "cluster",
        ...failoverLoad,
        fault,
        client,
        repetition,
        ...result,
      });
    }
  }
  return failovers;
}

const failoverLoad = { pairs: 20, rate: 400 } as const;
