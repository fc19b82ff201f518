import type { Target } from "../targets/target.ts";
import { runGroup, runPairs } from "./closed-loop.ts";
import { type IdleResult, runIdle } from "./idle.ts";
import type { RunResult, RunTimes } from "./measured-run.ts";
import { runOpenLoop } from "./open-loop.ts";

/** Parameters of scenarios. */
export interface Parameters {
  readonly pairs: number;
  readonly window: number;
  readonly rate: number;
  readonly members: number;
  readonly senders: number;
  readonly connections: number;
}

const scenarioParameters = {
  pairs: ["pairs", "window"],
  open: ["pairs", "rate"],
  group: ["members", "senders", "window"],
  idle: ["connections"],
} as const satisfies Readonly<Record<string, readonly (keyof Parameters)[]>>;

/** A scenario that drives one target once. */
export type PlainScenario = keyof typeof scenarioParameters;

export function isPlainScenario(name: string): name is PlainScenario {
  return Object.hasOwn(scenarioParameters, name);
}

/** The parameters that the scenario uses. */
export function parametersOf(scenario: PlainScenario, all: Parameters): Partial<Parameters> {
  return Object.fromEntries(scenarioParameters[scenario].map((name) => [name, all[name]]));
}

/** Drives `target` once. */
export function runScenario(
  scenario: PlainScenario,
  target: Target,
  parameters: Parameters,
  times: RunTimes,
): Promise<RunResult | IdleResult> {
  switch (scenario) {
    case "pairs":
      return runPairs(target, { ...parameters, ...times });
    case "open":
      return runOpenLoop(target, { ...parameters, ...times });
    case "group":
      return runGroup(target, { ...parameters, ...times });
    case "idle":
      return runIdle(target, { ...parameters, ...times });
  }
}
