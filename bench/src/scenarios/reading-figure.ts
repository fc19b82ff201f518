import type { AnswerForm } from "../load/http-reader.ts";
import { percentile } from "../measure/percentile.ts";
import { median } from "../report/median.ts";

/** Parts of the reading scenario. `sync-first`: everything, without a cursor. */
type ReadingPart = "list-first-page" | "list-heavy" | "sync-changed" | "sync-first" | "sync-same";

/** The result of one part of the scenario. */
export interface ReadingFigure {
  readonly part: ReadingPart;
  /** `old`: the paths of existing clients; `v1`: ours. */
  readonly api: "old" | "v1";
  readonly form: AnswerForm;
  /** `first call`: the process has answered nothing before; the file system's cache is warm. */
  readonly when: "first call" | "warm";
  /** Conversations of one reader. */
  readonly conversations: number;
  /** Conversations that changed since the cursor. */
  readonly changed: number;
  /** Readers at the same time. */
  readonly readers: number;
  /** Number of measurements; a sync with several pages is one. */
  readonly measured: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Size of a measurement's answers, as they came: the median. */
  readonly bytes: number;
  readonly pages: number;
  /** Most resident memory of the process during the reading, above what it had before: the worst; null where it was not watched. */
  readonly peakGrowthMiB: number | null;
  /** How the peak was found. */
  readonly peakBy: "kernel" | "samples" | null;
  /** Conversations that were missing or wrong in an answer, over all measurements. */
  readonly missing: number;
}

/** One measurement. */
export interface ReadingSample {
  readonly ms: number;
  readonly bytes: number;
  readonly pages: number;
  readonly missing: number;
}

/** Facts of a figure that its samples do not hold. */
export type ReadingHead = Pick<ReadingFigure, "api" | "conversations" | "form" | "part" | "when"> &
  Partial<Pick<ReadingFigure, "changed" | "peakBy" | "peakGrowthMiB" | "readers">>;

/** Puts samples together. */
export function toFigure(head: ReadingHead, samples: readonly ReadingSample[]): ReadingFigure {
  const sorted = Float64Array.from(samples, ({ ms }) => ms).sort();
  const ms = (share: number) => Number(percentile(sorted, share).toFixed(2));
  return {
    ...{ changed: 0, readers: 1, peakGrowthMiB: null, peakBy: null, ...head },
    measured: samples.length,
    p50Ms: ms(0.5),
    p95Ms: ms(0.95),
    bytes: Math.round(median(samples.map(({ bytes }) => bytes))),
    pages: median(samples.map(({ pages }) => pages)),
    missing: samples.reduce((sum, { missing }) => sum + missing, 0),
  };
}
