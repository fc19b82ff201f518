import { readFileSync, writeFileSync } from "node:fs";

/** The peak of a process' resident memory since a watch began. */
export interface PeakMemory {
  /** When the watch began, bytes. */
  readonly beginBytes: number;
  /**
   * `kernel`: counted exactly; `samples`: read every few milliseconds, where the kernel does not let us reset its
   * count.
   */
  readonly by: "kernel" | "samples";
  /** Ends the watch. Answers the peak, bytes. */
  end(): number;
}

const sampleMs = 5;
/** `proc(5)`: sets the peak of resident memory to its present value. */
const resetPeak = "5";

/** Resident memory of processes in sum, bytes. */
export function readResidentBytes(...pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readStatus(pid, "VmRSS"), 0);
}

/** Watches a process until `end` is called. */
export function watchPeak(pid: number): PeakMemory {
  const beginBytes = readStatus(pid, "VmRSS");
  return resetsPeak(pid, beginBytes) ? watchByKernel(pid, beginBytes) : watchBySamples(pid, beginBytes);
}

/** As {@link watchPeak}, by samples. */
export function watchBySamples(pid: number, beginBytes = readStatus(pid, "VmRSS")): PeakMemory {
  let most = beginBytes;
  const look = () => {
    most = Math.max(most, readStatus(pid, "VmRSS"));
  };
  const timer = setInterval(look, sampleMs);
  const end = () => {
    clearInterval(timer);
    look();
    return most;
  };
  return { beginBytes, by: "samples", end };
}

function watchByKernel(pid: number, beginBytes: number): PeakMemory {
  return { beginBytes, by: "kernel", end: () => readStatus(pid, "VmHWM") };
}

function resetsPeak(pid: number, residentBytes: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, resetPeak);
  } catch {
    return false;
  }
  // Some kernels accept the write and do nothing.
  const peak = readStatus(pid, "VmHWM");
  return peak - Math.max(residentBytes, readStatus(pid, "VmRSS")) < 2 ** 20;
}

function readStatus(pid: number, field: "VmHWM" | "VmRSS"): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (match === null) throw new Error(`no ${field} of process ${pid}`);
  return Number(match[1]) * 1_024;
}
