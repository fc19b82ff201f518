import { describe, expect, it } from "vitest";
import { clusterReport } from "../src/report/cluster-tables.ts";
import { judgeCluster } from "../src/report/cluster-targets.ts";
import {
  type ClusterCaseName,
  type ClusterMeasured,
  type ClusterMeasurement,
  clusterCases,
  type FailoverMeasurement,
} from "../src/scenarios/cluster-comparison.ts";
import type { ObserverFault } from "../src/scenarios/failover.ts";
import type { ServiceTargetName } from "../src/targets/service-targets.ts";

const names = Object.keys(clusterCases) as ClusterCaseName[];

/** Of what the relay does. */
const share: Readonly<Record<ServiceTargetName, number>> = {
  "rabbit-bare": 2,
  relay: 1,
  cluster: 0.8,
  "cluster-no-events": 0.8,
  nodes: 2,
  "nodes-no-events": 2,
};

function measurement(name: ClusterCaseName, target: ServiceTargetName, repetition: number) {
  const counts = { sent: 9, acknowledged: 9, delivered: 9, lost: 0, duplicated: 0, reordered: 0, dropped: 0 };
  const cpu = {
    cpuSecondsPer1000: 0.1,
    mainThreadCpuSecondsPer1000: 0.1,
    residentMiB: 100,
    generatorCpu: 0.1,
  };
  // The machine is slower in the first repetition, for all alike.
  const messagesPerSecond = 1_000 * repetition * share[target];
  const times = { p50Ms: target === "cluster" ? 2 : 1, p95Ms: 3, p99Ms: 4 };
  const result = { ...counts, ...cpu, ...times, messagesPerSecond };
  return { case: name, target, repetition, result } satisfies ClusterMeasurement;
}

function failover(fault: ObserverFault, gapMs: number): FailoverMeasurement {
  const counts = { sent: 9, acknowledged: 9, delivered: 9, lost: 0, duplicated: 0, reordered: 0, dropped: 0 };
  const gaps = { gapBeforeMs: 60, gapMs, gapAfterReturnMs: null };
  return { fault, client: "sdk", result: { ...counts, ...gaps, repeated: 5 } };
}

const measured: ClusterMeasured = {
  repeat: 3,
  measurements: names.flatMap((name) =>
    clusterCases[name].against.flatMap((target) => [1, 2, 3].map((n) => measurement(name, target, n))),
  ),
  twoObservers: { repetitions: [], rateRatio: 0.95, lost: 0, duplicated: 0, reordered: 0 },
  failovers: [failover("kill", 900), failover("kill", 3_100), failover("pause", 7_000)],
  reading: { target: "cluster", filledInSeconds: 1, figures: [] },
  fsyncMs: 0.5,
  machine: { cores: 2, processor: "some", memoryGiB: 8, kernel: "Linux 6", node: "v24.0.0" },
};

function judgement(of: string, from: ClusterMeasured = measured) {
  return judgeCluster(from).find(({ what }) => what.includes(of));
}

describe("judging the cluster", () => {
  it("compares with the relay of the same repetition, more strictly without events", () => {
    expect(judgement("20 pairs × 8: rate to the relay, with events")).toMatchObject({
      got: "0.80",
      met: true,
    });
    expect(judgement("20 pairs × 8: rate to the relay, without")).toMatchObject({ got: "0.80", met: false });
  });

  it("compares latency with the relay, and a group with RabbitMQ alone", () => {
    expect(judgement("p50")).toMatchObject({ got: "2.00 ×", met: true });
    expect(judgement("group of 20")).toMatchObject({ got: "0.40", met: false });
  });

  it("lets the slowest repetition of a fault count", () => {
    expect(judgement("kill")).toMatchObject({ got: "3100 ms", met: false });
    expect(judgement("pause")).toMatchObject({ got: "7000 ms", met: true });
  });

  it("takes what was not measured for not met", () => {
    expect(judgement("half-open")?.met).toBe(false);
  });

  it("takes one fault of one run as a fault, but not what a client drops, nor what is no run of ours", () => {
    const spoilt = (target: ServiceTargetName) =>
      measured.measurements.map((one) =>
        one.target === target ? { ...one, result: { ...one.result, lost: 1 } } : one,
      );

    expect(judgement("lost")).toMatchObject({ got: "0 / 0 / 0", met: true });
    expect(judgement("lost", { ...measured, measurements: spoilt("relay") })?.met).toBe(true);
    expect(judgement("lost", { ...measured, measurements: spoilt("cluster-no-events") })?.met).toBe(false);
    const twice = { ...failover("kill", 1), result: { ...failover("kill", 1).result, duplicated: 2 } };
    expect(judgement("lost", { ...measured, failovers: [twice] })?.met).toBe(false);
  });

  it("names every case, every server and every fault in the tables", () => {
    const text = clusterReport(measured);

    for (const name of names) {
      for (const target of clusterCases[name].against) expect(text).toContain(`| ${name} | ${target} |`);
    }
    expect(text).toContain("| pause | sdk | 9 | 60 | 7000 |");
    expect(text).toContain("| **no** |");
  });
});
