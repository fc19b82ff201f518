import { describe, expect, it } from "vitest";
import { againstTable } from "../src/report/against-table.ts";
import type { Side, SideMeasurement } from "../src/scenarios/side-measurement.ts";

const counts = { sent: 9, acknowledged: 9, delivered: 9, lost: 0, duplicated: 0, reordered: 0, dropped: 0 };
const times = { p50Ms: 1, p95Ms: 2, p99Ms: 3 };

function run(side: Side, repetition: number, messagesPerSecond: number): SideMeasurement {
  const cpu = { cpuSecondsPer1000: 0.04, mainThreadCpuSecondsPer1000: 0.02, residentMiB: 100 };
  const peers = { peerCpuSecondsPer1000: { mongod: side === "old" ? 0.1 : 0.2 } };
  const result = { ...counts, ...times, ...cpu, ...peers, messagesPerSecond, generatorCpu: 0.5 };
  return { case: "pairs", side, repetition, result, readyMs: null };
}

function idle(side: Side, kibPerFurtherConnection: number): SideMeasurement {
  const kib = { kibPerConnection: 30, kibPerFurtherConnection, idleCpuSecondsPerMinute: 0 };
  return { case: "idle", side, repetition: 1, result: { connections: 9, dropped: 0, ...kib }, readyMs: 400 };
}

describe("the table of two checkouts", () => {
  it("has medians of both, and ratios of the same repetition whatever the order of the runs", () => {
    // The machine is slower in the first repetition, for both alike.
    const rates = [run("old", 1, 100), run("new", 2, 2_200), run("new", 1, 90), run("old", 2, 2_000)];

    const text = againstTable([...rates, run("old", 3, 1_000), run("new", 3, 1_000)]);

    expect(text).toContain("| pairs | msg/s | 1000 | 1000 | 1.000 | 0.900 | 1.100 |");
    expect(text).toContain("| pairs | CPU s per 1,000, mongod | 0.1000 | 0.2000 | 2.000 | 2.000 | 2.000 |");
  });

  it("leaves out what a case does not measure, and ratios that mean nothing", () => {
    const text = againstTable([idle("old", -5), idle("new", 5)]);

    expect(text).not.toContain("msg/s");
    expect(text).toContain("| idle | KiB per further one | -5.0 | 5.0 |  |  |  |");
    expect(text).toContain("| idle | CPU s per minute of idling | 0.00 | 0.00 |  |  |  |");
    expect(text).toContain("| idle | ready ms | 400 | 400 | 1.000 | 1.000 | 1.000 |");
  });
});
