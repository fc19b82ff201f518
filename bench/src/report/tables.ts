import { type CaseName, cases, type Measured } from "../scenarios/comparison.ts";
import type { IdleResult } from "../scenarios/idle.ts";
import type { RunResult } from "../scenarios/measured-run.ts";
import { sumFaults } from "./faults.ts";
import { judgementTable, machineSentence, table } from "./markdown.ts";
import { median } from "./median.ts";
import { readingTable } from "./reading.ts";
import { judge } from "./targets.ts";

/** The report in Markdown, as it stands in `docs/performance.md`: machine, targets, figures, reading. */
export function reportTables(measured: Measured): string {
  return [
    machineLine(measured),
    judgementTable(judge(measured)),
    figureTable(measured),
    readingTable(measured.reading),
    "",
  ].join("\n\n");
}

function machineLine({ machine, repeat, fsyncMs, stored }: Measured): string {
  return [
    machineSentence(machine, fsyncMs),
    `Medians of ${repeat} repetitions, of the comparison with stored messages of ${stored.repetitions.length}.`,
  ].join(" ");
}

function figureTable(measured: Measured): string {
  const rows = (Object.keys(cases) as CaseName[]).flatMap((name) =>
    (["bare", "chat21"] as const).map((target) => figures(measured, name, target)),
  );
  const heads = [
    "case",
    "server",
    "msg/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "CPU s per 1,000",
    "of it main thread",
  ];
  return table([...heads, "memory MiB", "lost / duplicated / reordered"], rows);
}

function figures({ measurements }: Measured, name: CaseName, target: "bare" | "chat21"): string[] {
  const results = measurements.filter((one) => one.case === name && one.target === target);
  if (cases[name].scenario === "idle") {
    const kib = (of: "kibPerConnection" | "kibPerFurtherConnection") =>
      median(results.map(({ result }) => (result as IdleResult)[of] ?? Number.NaN)).toFixed(1);
    const memory = `${kib("kibPerConnection")} KiB each, further ${kib("kibPerFurtherConnection")}`;
    return [name, target, "", "", "", "", "", "", memory, ""];
  }
  const runs = results.map(({ result }) => result as RunResult);
  const middle = (of: (run: RunResult) => number | null, digits: number) =>
    median(runs.map((run) => of(run) ?? Number.NaN)).toFixed(digits);
  const { lost, duplicated, reordered } = sumFaults(runs);
  return [
    name,
    target,
    Number(middle((run) => run.messagesPerSecond, 0)).toLocaleString("en-US"),
    middle((run) => run.p50Ms, 2),
    middle((run) => run.p95Ms, 2),
    middle((run) => run.p99Ms, 2),
    middle((run) => run.cpuSecondsPer1000, 3),
    middle((run) => run.mainThreadCpuSecondsPer1000, 3),
    middle((run) => run.residentMiB, 0),
    `${lost} / ${duplicated} / ${reordered}`,
  ];
}
