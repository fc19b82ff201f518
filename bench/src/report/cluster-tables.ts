import { type ClusterCaseName, type ClusterMeasured, clusterCases } from "../scenarios/cluster-comparison.ts";
import type { RunResult } from "../scenarios/measured-run.ts";
import type { ServiceTargetName } from "../targets/service-targets.ts";
import { judgeCluster } from "./cluster-targets.ts";
import { sumFaults } from "./faults.ts";
import { judgementTable, machineSentence, table } from "./markdown.ts";
import { median } from "./median.ts";
import { readingTable } from "./reading.ts";

/** The report in Markdown, as it stands in `docs/performance.md`: machine, targets, figures, faults, reading. */
export function clusterReport(measured: ClusterMeasured): string {
  const { machine, fsyncMs, repeat } = measured;
  return [
    `${machineSentence(machine, fsyncMs)} Medians of ${repeat} repetitions.`,
    judgementTable(judgeCluster(measured)),
    figureTable(measured),
    faultTable(measured),
    readingTable(measured.reading),
    "",
  ].join("\n\n");
}

function figureTable(measured: ClusterMeasured): string {
  const rows = (Object.keys(clusterCases) as ClusterCaseName[]).flatMap((name) =>
    clusterCases[name].against.map((target) => figures(measured, name, target)),
  );
  const cpu = ["ours", "RabbitMQ", "MongoDB"].map((who) => `CPU s per 1,000, ${who}`);
  const heads = ["case", "server", "msg/s", "p50 ms", "p95 ms", "p99 ms", ...cpu];
  return table([...heads, "lost / duplicated / reordered"], rows);
}

function figures(
  { measurements }: ClusterMeasured,
  name: ClusterCaseName,
  target: ServiceTargetName,
): string[] {
  const runs = measurements
    .filter((one) => one.case === name && one.target === target)
    .map(({ result }) => result);
  const middle = (of: (run: RunResult) => number | null | undefined, digits: number) => {
    const value = median(runs.map((run) => of(run) ?? Number.NaN));
    return Number.isNaN(value) ? "" : value.toFixed(digits);
  };
  const { lost, duplicated, reordered } = sumFaults(runs);
  return [
    name,
    target,
    Number(middle((run) => run.messagesPerSecond, 0)).toLocaleString("en-US"),
    middle((run) => run.p50Ms, 2),
    middle((run) => run.p95Ms, 2),
    middle((run) => run.p99Ms, 2),
    middle((run) => run.cpuSecondsPer1000, 3),
    middle((run) => run.peerCpuSecondsPer1000?.["rabbitmq"], 3),
    middle((run) => run.peerCpuSecondsPer1000?.["mongod"], 3),
    `${lost} / ${duplicated} / ${reordered}`,
  ];
}

function faultTable({ failovers }: ClusterMeasured): string {
  const rows = failovers.map(({ fault, client, result }) => [
    fault,
    client,
    result.sent.toLocaleString("en-US"),
    String(result.gapBeforeMs),
    String(result.gapMs),
    result.gapAfterReturnMs === null ? "" : String(result.gapAfterReturnMs),
    String(result.repeated),
    `${result.lost} / ${result.duplicated} / ${result.reordered}`,
  ]);
  const gaps = ["before", "from the fault", "from the return"].map((when) => `longest gap ${when}, ms`);
  const heads = ["fault", "clients", "messages", ...gaps, "copies dropped by message id"];
  return table([...heads, "lost / duplicated / reordered"], rows);
}
