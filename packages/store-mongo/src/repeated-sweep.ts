import { randomUUID } from "node:crypto";
import type { LeaseStore, Log } from "@chat21/engine";
import type { Database } from "./database.ts";

const maxLeaseMs = 600_000;

/** Parts of a sweep. */
export interface SweepParts {
  readonly database: Database;
  readonly leases: LeaseStore;
  readonly log: Log | undefined;
  readonly intervalMs: number;
}

/** The work of one sweep. */
export interface SweepWork {
  readonly leaseName: string;
  /** Logged when the work fails. */
  readonly failure: string;
  /**
   * `goOn` keeps the lease, and is asked between two steps of long work: `false` when the process closes, or when another
   * one has the lease.
   */
  run(goOn: () => Promise<boolean>): Promise<void>;
}

/** Repeated work that one living process at a time does. */
export interface Sweep {
  /** Begins, and goes on regularly. Resolves when the work was done once, or when another process has the lease. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The processes of a store take turns by a lease. */
export function createSweep(
  { database, leases, log, intervalMs }: SweepParts,
  { leaseName, failure, run }: SweepWork,
): Sweep {
  const holder = randomUUID();
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  async function goOn(): Promise<boolean> {
    if (isClosed) return false;
    const [isOurs] = await leases.acquire(holder, [leaseName], Math.min(2 * intervalMs, maxLeaseMs));
    return isOurs === true;
  }

  async function sweep(): Promise<void> {
    try {
      if (await goOn()) await database.call(() => run(goOn));
    } catch (error) {
      if (!isClosed) log?.warn({ err: error }, failure);
    }
  }

  function next(): void {
    if (isClosed) return;
    timer = setTimeout(() => {
      running = sweep().then(next);
    }, intervalMs).unref();
  }

  return {
    async start() {
      running = sweep().then(next);
      await running;
    },
    async close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      await running;
      await leases.release(holder, [leaseName]).catch(() => {});
    },
  };
}
