import { groupName, memberName } from "../load/group-name.ts";
import { LoadRun, type StreamPlan } from "../load/load-run.ts";
import { runId } from "../load/message-template.ts";
import type { Target } from "../targets/target.ts";
import { measureRun, type RunResult, type RunTimes } from "./measured-run.ts";

/** `pairs` senders, each with its own recipient and `window` undelivered messages at any time. */
export async function runPairs(
  target: Target,
  options: { readonly pairs: number; readonly window: number } & RunTimes,
): Promise<RunResult> {
  return closedLoop(target, pairPlans(options.pairs), options.window, options);
}

/**
 * A group of `members`, in which `senders` write. Each has `window` messages at any time that not everybody has yet. A
 * message counts once, when everybody has it.
 */
export async function runGroup(
  target: Target,
  options: { readonly members: number; readonly senders: number; readonly window: number } & RunTimes,
): Promise<RunResult> {
  const group = groupName(runId, options.members);
  const members = Array.from({ length: options.members }, (_, index) => memberName(group, index));
  await target.createGroup(group, members);
  const plans = members
    .map((sender): StreamPlan => ({ sender, recipient: group, receivers: members, source: { group } }))
    .slice(0, options.senders);
  return closedLoop(target, plans, options.window, options);
}

/** One stream from each `sender` to its own `recipient`. */
export function pairPlans(pairs: number): StreamPlan[] {
  return Array.from({ length: pairs }, (_, index) => {
    const sender = `${runId}-s${index}`;
    const recipient = `${runId}-r${index}`;
    return { sender, recipient, receivers: [recipient], source: { sender } };
  });
}

async function closedLoop(
  target: Target,
  plans: readonly StreamPlan[],
  window: number,
  times: RunTimes,
): Promise<RunResult> {
  const run = await LoadRun.open(target, plans);
  try {
    return await measureRun(run, target, times, (control, delivered) => {
      run.handleDelivered = (stream, latencyMs) => {
        delivered(latencyMs);
        if (!control.isStopped) run.send(stream);
      };
      for (let i = 0; i < window; i++) for (const stream of plans.keys()) run.send(stream);
    });
  } finally {
    run.close();
  }
}
