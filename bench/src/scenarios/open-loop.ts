import { LoadRun } from "../load/load-run.ts";
import type { Target } from "../targets/target.ts";
import { pairPlans } from "./closed-loop.ts";
import { measureRun, type RunResult, type RunTimes } from "./measured-run.ts";

/** `rate` messages a second over all pairs in turn; it does not wait until earlier ones have arrived. */
export async function runOpenLoop(
  target: Target,
  options: { readonly pairs: number; readonly rate: number } & RunTimes,
): Promise<RunResult> {
  const run = await LoadRun.open(target, pairPlans(options.pairs));
  try {
    return await measureRun(run, target, options, (control, delivered) => {
      run.handleDelivered = (_stream, latencyMs) => delivered(latencyMs);
      sendAtRate(run, options.pairs, options.rate, control);
    });
  } finally {
    run.close();
  }
}

/** Sends over the pairs in turn until `control` says to stop. */
export function sendAtRate(
  run: LoadRun,
  pairs: number,
  rate: number,
  control: { readonly isStopped: boolean },
): void {
  const beginMs = performance.now();
  let sent = 0;
  const send = () => {
    if (control.isStopped) return;
    // Messages that a late timer missed are sent now, so that the rate holds.
    const due = Math.floor(((performance.now() - beginMs) * rate) / 1_000);
    for (; sent < due; sent++) run.send(sent % pairs);
    setTimeout(send, 1);
  };
  send();
}
