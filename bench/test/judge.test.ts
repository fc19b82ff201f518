import { describe, expect, it } from "vitest";
import { reportTables } from "../src/report/tables.ts";
import { judge } from "../src/report/targets.ts";
import { type CaseName, cases, type Measured, type Measurement } from "../src/scenarios/comparison.ts";

const names = Object.keys(cases) as CaseName[];

function run(target: "bare" | "chat21", messagesPerSecond: number) {
  const cpu = {
    cpuSecondsPer1000: 0.05,
    mainThreadCpuSecondsPer1000: 0.04,
    residentMiB: 100,
    generatorCpu: 0.5,
  };
  const counts = { sent: 9, acknowledged: 9, delivered: 9, lost: 0, duplicated: 0, reordered: 0, dropped: 0 };
  return { ...cpu, ...counts, messagesPerSecond, p50Ms: target === "bare" ? 0.3 : 0.6, p95Ms: 1, p99Ms: 2 };
}

function measurement(name: CaseName, target: "bare" | "chat21", repetition: number): Measurement {
  const idle = {
    connections: 2_000,
    dropped: 0,
    kibPerConnection: 30,
    kibPerFurtherConnection: 20,
    idleCpuSecondsPerMinute: 0,
  };
  const rate = target === "bare" ? 1_000 * repetition : 500 * repetition;
  const result = cases[name].scenario === "idle" ? idle : run(target, rate);
  return { case: name, target, repetition, result, readyMs: target === "bare" ? null : 400 };
}

const measured: Measured = {
  repeat: 3,
  measurements: names.flatMap((name) =>
    [1, 2, 3].flatMap((n) => [measurement(name, "bare", n), measurement(name, "chat21", n)]),
  ),
  stored: {
    ...{
      messages: 1,
      filledThrough: "the store's port",
      filledInSeconds: 1,
      databaseMiB: 1,
      repetitions: [],
    },
    ...{ rateRatio: 0.8, cpuRatio: 1.1, mainThreadCpuRatio: 1, lost: 0, duplicated: 1, reordered: 0 },
  },
  reading: { target: "chat21", filledInSeconds: 1, figures: [] },
  fsyncMs: 0.5,
  machine: { cores: 2, processor: "some", memoryGiB: 8, kernel: "Linux 6", node: "v24.0.0" },
};

describe("judging a run", () => {
  it("compares rates of the same repetition", () => {
    expect(judge(measured)).toContainEqual({
      what: "20 pairs × 8: rate to bare aedes",
      target: "at least 0.25",
      got: "0.50",
      met: true,
    });
  });

  it("turns a lower rate into a higher cost per message", () => {
    const cost = judge(measured).find(({ what }) => what === "time per message, full store to empty");

    expect(cost).toMatchObject({ got: "1.250 ×", met: false });
  });

  it("takes one fault of one run as a fault", () => {
    expect(judge(measured).at(-1)).toMatchObject({ got: "0 / 1 / 0", met: false });
  });

  it("names every case and both servers in the table", () => {
    const text = reportTables(measured);

    for (const name of names) {
      expect(text).toContain(`| ${name} | bare |`);
      expect(text).toContain(`| ${name} | chat21 |`);
    }
    expect(text).toContain("| **no** |");
  });
});
