import type { Machine } from "../measure/machine.ts";
import type { IdleResult } from "./idle.ts";
import type { RunResult } from "./measured-run.ts";
import type { Parameters, PlainScenario } from "./plain-scenario.ts";
import type { ReadingResult } from "./reading.ts";
import type { StoredResult } from "./stored.ts";

/** One run of one scenario against one target. */
export interface Measurement {
  readonly case: CaseName;
  readonly target: "bare" | "chat21";
  readonly repetition: number;
  readonly result: RunResult | IdleResult;
  readonly readyMs: number | null;
}

/** All measurements for a report. */
export interface Measured {
  readonly repeat: number;
  readonly measurements: readonly Measurement[];
  readonly stored: StoredResult;
  readonly reading: ReadingResult;
  readonly fsyncMs: number;
  readonly machine: Machine;
}

/** The measured cases, by their names in the table. */
export const cases = {
  "20 pairs × 8": { scenario: "pairs", pairs: 20, window: 8 },
  "100 pairs × 20": { scenario: "pairs", pairs: 100, window: 20 },
  "200 msg/s": { scenario: "open", pairs: 20, rate: 200 },
  "group of 20": { scenario: "group", members: 20, senders: 4, window: 8 },
  "2,000 idle": { scenario: "idle", connections: 2_000 },
} as const satisfies Readonly<Record<string, { readonly scenario: PlainScenario } & Partial<Parameters>>>;

/** Name of one of {@link cases}. */
export type CaseName = keyof typeof cases;
