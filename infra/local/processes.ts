import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Longest time for a process to end by itself. After it the process is killed. */
const graceMs = 15_000;
const lookEveryMs = 50;

/** Says whether the process runs. An ended process that was not yet collected does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

/**
 * Says whether the process is still the one that was started for `folder`. The system may have given its id to another
 * process. Where the system cannot tell, the answer is `true`.
 */
export function isProcessOf(pid: number, folder: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    return bears(pid, folder);
  } catch {
    return true;
  }
}

/** Says whether the process has the text in its arguments or its environment. Throws when nobody may look. */
function bears(pid: number, text: string): boolean {
  return ["cmdline", "environ"].some((file) => readFileSync(`/proc/${pid}/${file}`, "utf8").includes(text));
}

/**
 * Ids of the other processes that have this text in their arguments or their environment, which children inherit. Empty
 * where the system cannot tell: only Linux has `/proc`.
 */
export function processesWith(text: string): number[] {
  let all: string[];
  try {
    all = readdirSync("/proc");
  } catch {
    return [];
  }
  return all.map(Number).filter((pid) => {
    try {
      return Number.isInteger(pid) && pid !== process.pid && bears(pid, text);
    } catch {
      // It has ended, or belongs to another user.
      return false;
    }
  });
}

/** The command that {@link startDetached} runs. */
export interface DetachedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** File that gets the output. */
  readonly logPath: string;
}

/** Starts a process that outlives this one, in the folder of its log. Resolves with its id. */
export async function startDetached({ command, args, env = {}, logPath }: DetachedCommand): Promise<number> {
  const log = openSync(logPath, "a");
  try {
    const child = spawn(command, [...args], {
      cwd: dirname(logPath),
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...env },
    });
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    return child.pid as number;
  } finally {
    closeSync(log);
  }
}

/** Calls `look` until it returns a value, and resolves with it. Rejects when the process ends or the time runs out. */
export async function waitFor<T>(
  what: string,
  pid: number,
  timeoutMs: number,
  look: () => Promise<T | null>,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (!isAlive(pid)) throw new Error(`${what}: the process ended`);
    if (Date.now() > until) throw new Error(`${what}: not ready after ${timeoutMs} ms`);
    await delay(lookEveryMs);
  }
}

/** Stops a process. When it does not end in time, it is killed with its children. Resolves when it is gone. */
export async function stopProcess(pid: number): Promise<void> {
  const send = (signal: NodeJS.Signals) => {
    if (isAlive(pid)) process.kill(pid, signal);
  };
  // A paused process does not handle SIGTERM, so it is continued first.
  send("SIGCONT");
  send("SIGTERM");
  for (const until = Date.now() + graceMs; isAlive(pid) && Date.now() < until; ) await delay(lookEveryMs);
  if (isAlive(pid)) killGroup(pid);
  while (isAlive(pid)) await delay(lookEveryMs);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The process does not lead a group.
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
}
