import type { LeaseStore } from "@chat21/engine";
import { afterAll, beforeAll } from "vitest";

/** The leases that all tests of the suite share, and names that no other test uses. */
export interface LeaseWorld extends Omit<OpenedLeases, "cleanup"> {
  readonly one: LeaseStore;
  readonly two: LeaseStore;
  /** Returns a new prefix for names. No other prefix begins with it. */
  fresh(): string;
}

/** Opens the leases before all tests of the suite and cleans up after them. */
export function useLeases(open: OpenLeases): LeaseWorld {
  let opened: OpenedLeases | undefined;
  let names = 0;

  beforeAll(async () => {
    opened = await open();
  });
  afterAll(async () => {
    await opened?.cleanup();
  });

  const required = () => {
    if (opened === undefined) throw new Error("the leases can be used inside of tests only");
    return opened;
  };
  const process = (index: number) => {
    const found = required().processes[index];
    if (found === undefined) throw new Error("the contract needs at least two processes");
    return found;
  };
  return {
    get processes() {
      return required().processes;
    },
    get one() {
      return process(0);
    },
    get two() {
      return process(1);
    },
    get toleranceMs() {
      return required().toleranceMs;
    },
    elapse: (elapsedMs) => required().elapse(elapsedMs),
    fresh() {
      names += 1;
      return `test-${names}/`;
    },
  };
}

/** The leases under test, as several processes see them. */
export interface OpenedLeases {
  /** At least two stores with the same leases. Each stands for one process. */
  readonly processes: readonly LeaseStore[];
  /** Longest time a lease may outlive its `ttlMs` for other processes, milliseconds. */
  readonly toleranceMs: number;
  /** Resolves when `elapsedMs` have passed on the store's clock. */
  elapse(elapsedMs: number): Promise<void>;
  /** Closes the stores and removes their data. */
  cleanup(): Promise<void>;
}

/** Opens stores in which no lease is taken. */
export type OpenLeases = () => Promise<OpenedLeases>;
