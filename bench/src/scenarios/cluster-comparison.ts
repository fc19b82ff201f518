import type { ClientKind } from "../load/message-template.ts";
import type { Machine } from "../measure/machine.ts";
import type { ServiceTargetName } from "../targets/service-targets.ts";
import type { FailoverResult, ObserverFault } from "./failover.ts";
import type { RunResult } from "./measured-run.ts";
import type { Parameters, PlainScenario } from "./plain-scenario.ts";
import type { ReadingResult } from "./reading.ts";
import type { TwoObserversResult } from "./two-observers.ts";

interface ClusterCase {
  readonly scenario: PlainScenario;
  readonly parameters: Partial<Parameters>;
  /** The order in which a repetition measures; every second repetition reverses it. */
  readonly against: readonly ServiceTargetName[];
}

/** The measured cases, by their names in the table. */
export const clusterCases = {
  "20 pairs × 8": {
    scenario: "pairs",
    parameters: { pairs: 20, window: 8 },
    against: ["relay", "cluster", "cluster-no-events"],
  },
  "100 pairs × 20": {
    scenario: "pairs",
    parameters: { pairs: 100, window: 20 },
    against: ["relay", "cluster", "cluster-no-events"],
  },
  "200 msg/s": { scenario: "open", parameters: { pairs: 20, rate: 200 }, against: ["relay", "cluster"] },
  "group of 20": {
    scenario: "group",
    parameters: { members: 20, senders: 4, window: 8 },
    against: ["rabbit-bare", "relay", "cluster"],
  },
} as const satisfies Readonly<Record<string, ClusterCase>>;

/** Name of one of {@link clusterCases}. */
export type ClusterCaseName = keyof typeof clusterCases;

/** One run of one case against one target. */
export interface ClusterMeasurement {
  readonly case: ClusterCaseName;
  readonly target: ServiceTargetName;
  readonly repetition: number;
  readonly result: RunResult;
}

/** One fault. */
export interface FailoverMeasurement {
  readonly fault: ObserverFault;
  readonly client: ClientKind;
  readonly result: FailoverResult;
}

/** All measurements for a report on the cluster. */
export interface ClusterMeasured {
  readonly repeat: number;
  readonly measurements: readonly ClusterMeasurement[];
  readonly twoObservers: TwoObserversResult;
  readonly failovers: readonly FailoverMeasurement[];
  readonly reading: ReadingResult;
  readonly fsyncMs: number;
  readonly machine: Machine;
}
