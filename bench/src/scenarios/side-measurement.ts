import type { IdleResult } from "./idle.ts";
import type { RunResult } from "./measured-run.ts";

/** The side whose server is measured: `old` is the other folder, `new` this one. */
export type Side = "new" | "old";

/** One run of one case against one side. */
export interface SideMeasurement {
  readonly case: string;
  readonly side: Side;
  readonly repetition: number;
  readonly result: RunResult | IdleResult;
  readonly readyMs: number | null;
}
