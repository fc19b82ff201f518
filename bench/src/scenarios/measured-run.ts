import type { LedgerTotals } from "../load/ledger.ts";
import { sumTotals } from "../load/ledger.ts";
import type { LoadRun } from "../load/load-run.ts";
import { percentile } from "../measure/percentile.ts";
import { type ProcessCpu, readProcessCpu } from "../measure/process-cpu.ts";
import { readResidentBytes } from "../measure/process-memory.ts";
import type { Target } from "../targets/target.ts";

/** Results of a scenario with messages. Counts are of the whole run, rates and latencies of the measured time. */
export interface RunResult extends LedgerTotals {
  readonly dropped: number;
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** CPU of the server; null when its process is not known. */
  readonly cpuSecondsPer1000: number | null;
  readonly mainThreadCpuSecondsPer1000: number | null;
  /** Resident memory of the server at the end of the measured time, MiB; null when its process is not known. */
  readonly residentMiB: number | null;
  /** CPU of other processes that do a part of the work, by name; absent where there are none. */
  readonly peerCpuSecondsPer1000?: Readonly<Record<string, number>>;
  /** Share of one core that the generator took. Near 1, the run measured the generator and not the server. */
  readonly generatorCpu: number;
}

/** How long to drive and to measure, milliseconds. */
export interface RunTimes {
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** After so long without progress, copies that are still missing count as lost. */
const patienceMs = 5_000;
const maxLatencies = 2_000_000;

/**
 * Starts the load, measures for a while, stops sending, and waits until everything has arrived or nothing moves any
 * more. `start` is called once and must send until `isStopped` of its argument says so.
 */
export async function measureRun(
  run: LoadRun,
  { pids, peers }: Pick<Target, "peers" | "pids">,
  times: RunTimes,
  start: (control: { readonly isStopped: boolean }, delivered: (latencyMs: number) => void) => void,
): Promise<RunResult> {
  const control = { isStopped: false };
  const latencies = new Float64Array(maxLatencies);
  let measuring = false;
  let delivered = 0;
  start(control, (latencyMs) => {
    if (!measuring) return;
    if (delivered < maxLatencies) latencies[delivered] = latencyMs;
    delivered++;
  });
  await wait(times.warmupMs);
  const begin = snapshot(pids, peers);
  measuring = true;
  await wait(times.measureMs);
  measuring = false;
  const end = snapshot(pids, peers);
  const residentMiB = pids.length === 0 ? null : Math.round(readResidentBytes(...pids) / 2 ** 20);
  control.isStopped = true;
  await settle(run);
  const sorted = latencies.slice(0, Math.min(delivered, maxLatencies)).sort();
  const seconds = (end.nowMs - begin.nowMs) / 1_000;
  const per1000 = (cpuSeconds: number) => round((cpuSeconds / delivered) * 1_000, 5);
  const ofServer = (of: keyof ProcessCpu) =>
    pids.length === 0 ? null : per1000(end.server[of] - begin.server[of]);
  const ofPeers = Object.entries(end.peers).map(([name, total]) => {
    return [name, per1000(total - (begin.peers[name] ?? 0))] as const;
  });
  return {
    ...sumTotals(run.ledgers),
    dropped: run.dropped,
    messagesPerSecond: Math.round(delivered / seconds),
    p50Ms: round(percentile(sorted, 0.5), 3),
    p95Ms: round(percentile(sorted, 0.95), 3),
    p99Ms: round(percentile(sorted, 0.99), 3),
    cpuSecondsPer1000: ofServer("total"),
    mainThreadCpuSecondsPer1000: ofServer("mainThread"),
    residentMiB,
    ...(ofPeers.length === 0 ? {} : { peerCpuSecondsPer1000: Object.fromEntries(ofPeers) }),
    generatorCpu: round((end.own - begin.own) / seconds, 2),
  };
}

/** Resolves when everything has arrived, or nothing has moved for `timeoutMs`. */
export async function settle(run: LoadRun, timeoutMs = patienceMs): Promise<void> {
  let last = "";
  let sinceMs = performance.now();
  while (!run.isComplete && performance.now() - sinceMs < timeoutMs) {
    await wait(50);
    const state = JSON.stringify(sumTotals(run.ledgers));
    if (state !== last) sinceMs = performance.now();
    last = state;
  }
}

function snapshot(pids: readonly number[], peers: Target["peers"]) {
  const ofPeers = Object.entries(peers).map(([name, pid]) => [name, readProcessCpu(pid).total] as const);
  return {
    nowMs: performance.now(),
    own: readProcessCpu(process.pid).mainThread,
    server: readProcessCpu(...pids),
    peers: Object.fromEntries(ofPeers) as Record<string, number>,
  };
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
