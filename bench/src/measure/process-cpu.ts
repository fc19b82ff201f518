import { readFileSync } from "node:fs";

/** CPU time since a process began, seconds. */
export interface ProcessCpu {
  readonly total: number;
  /** CPU time of the thread that runs JavaScript. */
  readonly mainThread: number;
}

/** Linux counts in ticks of 10 ms whatever the kernel's own rate (`USER_HZ`). */
const ticksPerSecond = 100;

/** Reads the CPU time of processes from `/proc`, in sum. */
export function readProcessCpu(...pids: readonly number[]): ProcessCpu {
  const sum = { total: 0, mainThread: 0 };
  for (const pid of pids) {
    sum.total += readStat(`/proc/${pid}/stat`);
    sum.mainThread += readStat(`/proc/${pid}/task/${pid}/stat`);
  }
  return sum;
}

function readStat(path: string): number {
  const text = readFileSync(path, "utf8");
  // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
