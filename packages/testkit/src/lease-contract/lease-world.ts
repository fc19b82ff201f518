import type { LeaseStore } from "@chat21/engine";
import { afterAll, beforeAll } from "vitest";

/** Leases under test, as several processes see them. */
export interface OpenedLeases {
  /** At least two doors to the same leases, each as a process of its own has it. */
  readonly processes: readonly LeaseStore[];
  /** How much longer than its holder counts a lease may last for others, milliseconds. */
  readonly toleranceMs: number;
  /** Resolves when so much time has passed by the store's clock. */
  elapse(elapsedMs: number): Promise<void>;
  /** Closes what is open and removes the data. */
  cleanup(): Promise<void>;
}

/** Opens leases of which none is taken. */
export type OpenLeases = () => Promise<OpenedLeases>;

/** The leases that all tests of the suite share, and names that no other test uses. */
export interface LeaseWorld extends Omit<OpenedLeases, "cleanup"> {
  readonly one: LeaseStore;
  readonly two: LeaseStore;
  /** A new prefix; no other begins with it. */
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
    if (opened === undefined) throw new Error("the leases are opened before all tests");
    return opened;
  };
  const process = (index: number) => {
    const found = required().processes[index];
    if (found === undefined) throw new Error("the contract needs the leases of two processes");
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
