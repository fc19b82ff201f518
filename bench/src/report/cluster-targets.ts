import type { ClusterCaseName, ClusterMeasured } from "../scenarios/cluster-comparison.ts";
import type { ObserverFault } from "../scenarios/failover.ts";
import type { RunResult } from "../scenarios/measured-run.ts";
import type { ServiceTargetName } from "../targets/service-targets.ts";
import { sumFaults } from "./faults.ts";
import { atLeast, atMost, type Judgement } from "./judgement.ts";
import { median } from "./median.ts";
import { judgeReading } from "./reading.ts";

/** Compares the measured figures with the targets. */
export function judgeCluster(measured: ClusterMeasured): Judgement[] {
  const rate = (name: ClusterCaseName, target: ServiceTargetName, to: ServiceTargetName) =>
    ratio(measured, name, target, to, "messagesPerSecond");
  const pairs = (["20 pairs × 8", "100 pairs × 20"] as const).flatMap((name) => [
    atLeast(`${name}: rate to the relay, with events`, 0.75, rate(name, "cluster", "relay")),
    atLeast(`${name}: rate to the relay, without events`, 0.85, rate(name, "cluster-no-events", "relay")),
    atMost(
      `${name}: CPU seconds of the observer per 1,000 messages`,
      0.2,
      "",
      3,
      median(runsOf(measured, name, "cluster").map((run) => run.cpuSecondsPer1000 ?? Number.NaN)),
    ),
  ]);
  return [
    ...pairs,
    atMost(
      "publish to delivery at 200 msg/s, p50 to the relay",
      3,
      "×",
      2,
      ratio(measured, "200 msg/s", "cluster", "relay", "p50Ms"),
    ),
    atLeast(
      "group of 20: rate to what RabbitMQ passes through",
      0.8,
      rate("group of 20", "cluster", "rabbit-bare"),
    ),
    atLeast("two observers: rate to one", 0.9, measured.twoObservers.rateRatio),
    resumed(measured, "kill", 3_000),
    resumed(measured, "pause", 8_000),
    resumed(measured, "half-open", 8_000),
    ...judgeReading(measured.reading),
    nothingWrong(measured),
  ];
}

function runsOf(
  { measurements }: ClusterMeasured,
  name: ClusterCaseName,
  target: ServiceTargetName,
): readonly RunResult[] {
  return measurements
    .filter((one) => one.case === name && one.target === target)
    .sort((a, b) => a.repetition - b.repetition)
    .map(({ result }) => result);
}

/** The median of the ratios of the same repetition. */
function ratio(
  measured: ClusterMeasured,
  name: ClusterCaseName,
  target: ServiceTargetName,
  to: ServiceTargetName,
  of: "messagesPerSecond" | "p50Ms",
): number {
  const others = runsOf(measured, name, to);
  return median(
    runsOf(measured, name, target).map((run, index) => run[of] / (others[index]?.[of] ?? Number.NaN)),
  );
}

/** For a fault the worst measurement counts, not the median. */
function resumed({ failovers }: ClusterMeasured, fault: ObserverFault, limitMs: number): Judgement {
  const gaps = failovers.filter((one) => one.fault === fault).map(({ result }) => result.gapMs);
  const got = gaps.length === 0 ? Number.NaN : Math.max(...gaps);
  return atMost(`one of two observers, ${fault}: slowest pair without delivery`, limitMs, "ms", 0, got);
}

function nothingWrong({ measurements, twoObservers, failovers }: ClusterMeasured): Judgement {
  const runs = measurements.filter(({ target }) => target.startsWith("cluster")).map(({ result }) => result);
  const faults = failovers.map(({ result }) => result);
  const { lost, duplicated, reordered } = sumFaults([...runs, twoObservers, ...faults]);
  return {
    what: "lost / duplicated / reordered, all runs and faults",
    target: "0 / 0 / 0",
    got: `${lost} / ${duplicated} / ${reordered}`,
    met: lost + duplicated + reordered === 0,
  };
}
