import type { CaseName, Measured } from "../scenarios/comparison.ts";
import type { IdleResult } from "../scenarios/idle.ts";
import type { RunResult } from "../scenarios/measured-run.ts";
import { sumFaults } from "./faults.ts";
import { atLeast, atMost, type Judgement } from "./judgement.ts";
import { median } from "./median.ts";
import { judgeReading } from "./reading.ts";

/** Compares the measured figures with the targets. */
export function judge(measured: Measured): Judgement[] {
  return [
    ratioToBare(measured, "20 pairs × 8", 0.25),
    ratioToBare(measured, "100 pairs × 20", 0.3),
    ratioToBare(measured, "group of 20", 0.4),
    atMost(
      "main thread, CPU seconds per 1,000 messages, 20 pairs × 8",
      0.065,
      "",
      3,
      cpu(measured, "20 pairs × 8"),
    ),
    atMost(
      "main thread, CPU seconds per 1,000 messages, 100 pairs × 20",
      0.065,
      "",
      3,
      cpu(measured, "100 pairs × 20"),
    ),
    atMost("publish to delivery at 200 msg/s, p50", 1, "ms", 2, latency(measured, "p50Ms")),
    atMost("publish to delivery at 200 msg/s, p99", 5, "ms", 2, latency(measured, "p99Ms")),
    atMost("time per message, full store to empty", 1.15, "×", 3, 1 / measured.stored.rateRatio),
    atMost("CPU per message, full store to empty", 1.15, "×", 3, measured.stored.cpuRatio),
    atMost(
      "2,000 idle connections, each, above bare aedes",
      6,
      "KiB",
      1,
      idleAboveBare(measured, "kibPerConnection"),
    ),
    atMost(
      "2,000 further ones, each, above bare aedes",
      6,
      "KiB",
      1,
      idleAboveBare(measured, "kibPerFurtherConnection"),
    ),
    atMost("process start to ready", 1_000, "ms", 0, ready(measured)),
    ...judgeReading(measured.reading),
    nothingWrong(measured),
  ];
}

function ratioToBare(measured: Measured, name: CaseName, limit: number): Judgement {
  const ratios = inTurns<RunResult>(measured, name).map(
    ({ chat21, bare }) => chat21.messagesPerSecond / bare.messagesPerSecond,
  );
  return atLeast(`${name}: rate to bare aedes`, limit, median(ratios));
}

/** The results of each repetition side by side. */
function inTurns<T>({ measurements, repeat }: Measured, name: CaseName): { chat21: T; bare: T }[] {
  const find = (target: string, repetition: number) =>
    measurements.find((one) => one.case === name && one.target === target && one.repetition === repetition)
      ?.result as T;
  return Array.from({ length: repeat }, (_, i) => ({
    chat21: find("chat21", i + 1),
    bare: find("bare", i + 1),
  }));
}

function cpu(measured: Measured, name: CaseName): number {
  const runs = inTurns<RunResult>(measured, name);
  return median(runs.map(({ chat21 }) => chat21.mainThreadCpuSecondsPer1000 ?? Number.NaN));
}

function latency(measured: Measured, of: "p50Ms" | "p99Ms"): number {
  return median(inTurns<RunResult>(measured, "200 msg/s").map(({ chat21 }) => chat21[of]));
}

function idleAboveBare(measured: Measured, of: "kibPerConnection" | "kibPerFurtherConnection"): number {
  const runs = inTurns<IdleResult>(measured, "2,000 idle");
  return median(runs.map(({ chat21, bare }) => (chat21[of] ?? Number.NaN) - (bare[of] ?? Number.NaN)));
}

function ready({ measurements, stored }: Measured): number {
  const starts = [
    ...measurements.map(({ readyMs }) => readyMs),
    ...stored.repetitions.map(({ empty }) => empty.readyMs),
  ];
  return median(starts.filter((readyMs) => readyMs !== null));
}

function nothingWrong({ measurements, stored }: Measured): Judgement {
  const runs = measurements.flatMap(({ target, result }) =>
    target === "chat21" && "lost" in result ? [result] : [],
  );
  const { lost, duplicated, reordered } = sumFaults([...runs, stored]);
  return {
    what: "lost / duplicated / reordered, all runs",
    target: "0 / 0 / 0",
    got: `${lost} / ${duplicated} / ${reordered}`,
    met: lost + duplicated + reordered === 0,
  };
}
