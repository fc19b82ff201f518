import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** How long a process may take to end by itself before it is killed. */
const graceMs = 15_000;
const lookEveryMs = 50;

/** Whether the process runs; one that has ended and was not yet collected does not. */
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
 * Whether the process still is the one that was started for `folder`, and not another to which the system gave the id
 * since. Where the system does not say, it is believed.
 */
export function isProcessOf(pid: number, folder: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    return ["cmdline", "environ"].some((file) =>
      readFileSync(`/proc/${pid}/${file}`, "utf8").includes(folder),
    );
  } catch {
    return true;
  }
}

/** What {@link startDetached} runs. */
export interface DetachedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Takes the output. */
  readonly logPath: string;
}

/** Starts a process that outlives this one, in the folder of its log; resolves with its id. */
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

/** Resolves as soon as `look` answers something; rejects when the process ends before, or time runs out. */
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

/** Ends a process, by force with its children when it does not end by itself. Resolves when it is gone. */
export async function stopProcess(pid: number): Promise<void> {
  const send = (signal: NodeJS.Signals) => {
    if (isAlive(pid)) process.kill(pid, signal);
  };
  // A paused process would never see the other signal.
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
    // It does not lead a group.
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
}
