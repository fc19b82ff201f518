import { type LedgerTotals, sumTotals } from "../load/ledger.ts";
import { LoadRun } from "../load/load-run.ts";
import { percentile } from "../measure/percentile.ts";
import { sendAtRate } from "../scenarios/open-loop.ts";
import type { Target } from "../targets/target.ts";

/** People who write to each other: each to the next one, and together so many messages a second. */
const people = 20;
const messagesPerSecond = 200;

/** A bystander's name. */
export function bystander(index: number): string {
  return `bystander-${index % people}`;
}

/** Names of all of them. */
export const bystanders = Array.from({ length: people }, (_, index) => bystander(index));

/** What became of the bystanders' messages. */
export interface Witness {
  readonly totals: LedgerTotals;
  /** Connections that the server has closed. */
  readonly dropped: number;
  /** The 99th percentile from sending to the recipient, milliseconds. */
  readonly p99Ms: number;
}

/** Lets them talk for `measureMs` beside whatever else happens, and waits until every message has arrived. */
export async function watchBystanders(target: Target, measureMs: number): Promise<Witness> {
  const plans = bystanders.map((sender, index) => {
    const recipient = bystander(index + 1);
    return { sender, recipient, receivers: [recipient], source: { sender } };
  });
  const run = await LoadRun.open(target, plans);
  const latencies: number[] = [];
  const control = { isStopped: false };
  try {
    run.handleDelivered = (_stream, latencyMs) => void latencies.push(latencyMs);
    sendAtRate(run, people, messagesPerSecond, control);
    await later(measureMs);
    control.isStopped = true;
    const until = performance.now() + arriveMs;
    while (!run.isComplete && performance.now() < until) await later(pollMs);
    return {
      totals: sumTotals(run.ledgers),
      dropped: run.dropped,
      p99Ms: percentile(Float64Array.from(latencies).sort(), 0.99),
    };
  } finally {
    control.isStopped = true;
    run.close();
  }
}

/** How long the last messages may take. */
const arriveMs = 10_000;
const pollMs = 20;

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
