import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Whether a thread of the process still runs. False where the system has no `/proc`. */
function runs(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some(
      (thread) => !/^State:\s+[Tt]/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8")),
    );
  } catch {
    return false;
  }
}

/** Stops a process with SIGSTOP. Resolves when all of its threads stand still: the signal reaches them one after the other. */
export async function pauseProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  while (runs(pid)) await delay(1);
}
