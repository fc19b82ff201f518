import type { OriginalImportReport } from "../conversations/report.ts";
import type { OriginalRefusal } from "../refusals.ts";
import type { InstancesReport } from "./import-instances.ts";
import type { ScanReport } from "./scan.ts";

/** The whole result of an import. */
export interface OriginalImportSummary {
  readonly source: string;
  readonly target: string;
  readonly dryRun: boolean;
  /** `false`: the import was cut short; the next one goes on. */
  readonly complete: boolean;
  readonly tookMs: number;
  readonly read: Omit<ScanReport, "refused">;
  readonly conversations: OriginalImportReport["conversations"];
  readonly messages: OriginalImportReport["messages"];
  readonly groups: OriginalImportReport["groups"];
  readonly places: number;
  readonly instances: Omit<InstancesReport, "refused">;
  /** Refusals of all kinds, by reason. */
  readonly refused: Partial<Record<OriginalRefusal, number>>;
}

/** The sum of several parts' refusals. */
export function sumRefusals(
  ...parts: readonly Partial<Record<OriginalRefusal, number>>[]
): Partial<Record<OriginalRefusal, number>> {
  const sum: Partial<Record<OriginalRefusal, number>> = {};
  for (const [reason, count] of parts.flatMap((part) => Object.entries(part))) {
    sum[reason as OriginalRefusal] = (sum[reason as OriginalRefusal] ?? 0) + count;
  }
  return sum;
}
