import { sumTotals } from "../load/ledger.ts";
import { LoadRun } from "../load/load-run.ts";
import type { ClientKind } from "../load/message-template.ts";
import { Gaps } from "../measure/gaps.ts";
import type { Faults } from "../report/faults.ts";
import type { Carrier } from "../targets/carrier.ts";
import { type Cluster, startCluster } from "../targets/cluster.ts";
import type { ServiceSet } from "../targets/service-set.ts";
import { pairPlans } from "./closed-loop.ts";
import { settle, wait } from "./measured-run.ts";
import { sendAtRate } from "./open-loop.ts";

/**
 * Faults of the first of two observers: `kill` SIGKILL; `pause` SIGSTOP, and SIGCONT later; `half-open` for some time
 * nothing passes between it and the broker.
 */
export const observerFaults = ["kill", "pause", "half-open"] as const;

/** One of {@link observerFaults}. */
export type ObserverFault = (typeof observerFaults)[number];

/**
 * The outcome of a fault. `duplicated`: copies that came again and that a client cannot recognise by their message id.
 */
export interface FailoverResult extends Faults {
  readonly sent: number;
  readonly acknowledged: number;
  readonly delivered: number;
  /** Copies that came again with the same message id: clients drop them. */
  readonly repeated: number;
  /** Connections that the broker has closed. */
  readonly dropped: number;
  /** The longest time in which some pair got nothing, before the fault. */
  readonly gapBeforeMs: number;
  /** The same from the fault on: how long delivery took to resume for the slowest pair. */
  readonly gapMs: number;
  /** The same from when the observer is back; `null` when it does not come back. */
  readonly gapAfterReturnMs: number | null;
}

/** Options of {@link runFailover}. */
export interface FailoverOptions {
  readonly fault: ObserverFault;
  readonly client: ClientKind;
  readonly carrier: Carrier;
  readonly pairs: number;
  readonly rate: number;
  readonly events: boolean;
}

const beforeMs = 4_000;
/** Duration of each fault: longer than delivery may take to resume. */
const faultMs = { kill: 6_000, pause: 12_000, "half-open": 12_000 } as const satisfies Record<
  ObserverFault,
  number
>;
const afterReturnMs = 8_000;
/** Longest wait for the last copies: longer than any part takes to come back. */
const patienceMs = 15_000;

/**
 * Sends at a steady rate over two observers, strikes the first one with a fault, and counts the fate of the messages.
 */
export async function runFailover(services: ServiceSet, options: FailoverOptions): Promise<FailoverResult> {
  const { carrier, events, fault, pairs, client } = options;
  const isProxied = fault === "half-open";
  const cluster = await startCluster(services, { carrier, events, observers: 2, withApi: false, isProxied });
  try {
    const run = await LoadRun.open(cluster.target, pairPlans(pairs), { client, comparesIds: true });
    try {
      return await drive(run, cluster, options);
    } finally {
      run.close();
    }
  } finally {
    await cluster.target.close();
  }
}

async function drive(run: LoadRun, cluster: Cluster, options: FailoverOptions): Promise<FailoverResult> {
  const { fault, pairs, rate } = options;
  const control = { isStopped: false };
  const gaps = new Gaps(pairs, performance.now());
  run.handleDelivered = (stream) => gaps.note(stream, performance.now());
  sendAtRate(run, pairs, rate, control);
  // The first messages wait for the partitions to be shared out.
  await wait(beforeMs);
  gaps.take(performance.now());
  await wait(beforeMs);
  const gapBeforeMs = gaps.take(performance.now());
  const comeBack = await strike(fault, cluster);
  await wait(faultMs[fault]);
  const gapMs = gaps.take(performance.now());
  let gapAfterReturnMs: number | null = null;
  if (comeBack !== null) {
    comeBack();
    await wait(afterReturnMs);
    gapAfterReturnMs = Math.round(gaps.take(performance.now()));
  }
  control.isStopped = true;
  await settle(run, patienceMs);
  const { duplicated, ...totals } = sumTotals(run.ledgers);
  const renamed = run.ledgers.reduce((sum, ledger) => sum + ledger.renamed, 0);
  return {
    ...totals,
    duplicated: renamed,
    repeated: duplicated - renamed,
    dropped: run.dropped,
    gapBeforeMs: Math.round(gapBeforeMs),
    gapMs: Math.round(gapMs),
    gapAfterReturnMs,
  };
}

/** Causes the fault. Answers the function that brings the observer back. */
async function strike(fault: ObserverFault, { observers, proxy }: Cluster): Promise<(() => void) | null> {
  const [observer] = observers;
  switch (fault) {
    case "kill":
      await observer?.kill();
      return null;
    case "pause":
      observer?.pause();
      return () => observer?.resume();
    case "half-open":
      proxy?.stall();
      return () => proxy?.heal();
  }
}
