import type { Side, SideMeasurement } from "../scenarios/side-measurement.ts";
import { table } from "./markdown.ts";
import { median } from "./median.ts";

/** The compared figures, by their names in the table. Where less is better, a ratio below 1 is a gain. */
const figures = {
  messagesPerSecond: { name: "msg/s", digits: 0 },
  p50Ms: { name: "p50 ms", digits: 2 },
  p95Ms: { name: "p95 ms", digits: 2 },
  p99Ms: { name: "p99 ms", digits: 2 },
  cpuSecondsPer1000: { name: "CPU s per 1,000", digits: 4 },
  mainThreadCpuSecondsPer1000: { name: "of it main thread", digits: 4 },
  residentMiB: { name: "memory MiB", digits: 0 },
  kibPerConnection: { name: "KiB per idle connection", digits: 1 },
  kibPerFurtherConnection: { name: "KiB per further one", digits: 1 },
  idleCpuSecondsPerMinute: { name: "CPU s per minute of idling", digits: 2 },
  readyMs: { name: "ready ms", digits: 0 },
} as const;

type FigureName = keyof typeof figures;

/**
 * Medians of both sides and, between runs of the same repetition, the ratio of new to old: the median, the least and the
 * most. Ratios to nothing, or to less than nothing, are left out.
 */
export function againstTable(measurements: readonly SideMeasurement[]): string {
  const names = [...new Set(measurements.map((one) => one.case))];
  const rows = names.flatMap((name) => {
    const own = measurements.filter((one) => one.case === name);
    return [
      ...(Object.keys(figures) as FigureName[]).map((figure) =>
        row(name, figures[figure], own, (one) => read(one, figure)),
      ),
      ...peersOf(own).map((peer) =>
        row(name, { name: `CPU s per 1,000, ${peer}`, digits: 4 }, own, (one) => readPeer(one, peer)),
      ),
    ].filter((cells) => cells !== null);
  });
  return table(["case", "figure", "old", "new", "new / old", "from", "to"], rows);
}

function row(
  name: string,
  figure: { readonly name: string; readonly digits: number },
  measurements: readonly SideMeasurement[],
  of: (one: SideMeasurement) => number | null,
): string[] | null {
  const valuesOf = (side: Side) =>
    measurements
      .filter((one) => one.side === side)
      .sort((a, b) => a.repetition - b.repetition)
      .map((one) => of(one) ?? Number.NaN);
  const [before, now] = [valuesOf("old"), valuesOf("new")];
  if ([...before, ...now].every(Number.isNaN)) return null;
  const ratios = now.map((value, index) => value / (before[index] ?? Number.NaN)).filter(isRatio);
  const show = (ratio: number) => (Number.isFinite(ratio) ? ratio.toFixed(3) : "");
  const medians = [before, now].map((values) => median(values).toFixed(figure.digits));
  const extremes = ratios.length === 0 ? ["", ""] : [Math.min(...ratios), Math.max(...ratios)].map(show);
  return [name, figure.name, ...medians, show(median(ratios)), ...extremes];
}

function read({ result, readyMs }: SideMeasurement, figure: FigureName): number | null {
  return ({ ...result, readyMs } as Partial<Record<FigureName, number | null>>)[figure] ?? null;
}

function readPeer({ result }: SideMeasurement, peer: string): number | null {
  return ("peerCpuSecondsPer1000" in result ? result.peerCpuSecondsPer1000?.[peer] : null) ?? null;
}

function peersOf(measurements: readonly SideMeasurement[]): string[] {
  const names = measurements.flatMap(({ result }) =>
    "peerCpuSecondsPer1000" in result ? Object.keys(result.peerCpuSecondsPer1000 ?? {}) : [],
  );
  return [...new Set(names)];
}

function isRatio(value: number): boolean {
  return Number.isFinite(value) && value > 0;
}
