import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { closeOnSignal } from "./close-on-signal.ts";
import { waitUntilReady } from "./server-ready.ts";

/** How to start a built server. */
export interface ServerProcessOptions {
  /** Path of its built script. */
  readonly cli: string;
  readonly args?: readonly string[];
  /** Its settings; it gets none of this process' own settings. */
  readonly settings: Readonly<Record<string, string>>;
  /** Answered with 200 when it is ready. */
  readonly readyUrl: string;
  /** Writes CPU profiles there when it ends. */
  readonly cpuProfileDir?: string | undefined;
}

/** A server that is ready. */
export interface ServerProcess {
  readonly pid: number;
  readonly readyMs: number;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGTERM. Resolves when it has ended. Idempotent. */
  end(): Promise<void>;
}

/** High for the same reason as there are no limits of publishes. */
const requestsPerMinute = "1000000";
const warnLevel = 40;
/** How long it may take to end by itself; an observer whose broker does not answer takes its time. */
const graceMs = 20_000;

/** Starts a server as an operator would, and prints its warnings. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { cli, args = [], settings, readyUrl } = options;
  if (!existsSync(cli)) {
    throw new Error(
      `${relative(process.cwd(), cli)} is not built: run \`pnpm build\` in its repository, or start with \`pnpm bench\``,
    );
  }
  const { PATH, HOME, TMPDIR } = process.env;
  const beganMs = performance.now();
  const child = spawn(process.execPath, [...profileArguments(options), cli, ...args], {
    env: {
      ...{ PATH, HOME, TMPDIR },
      // One sender of the bench stands for many people.
      ...{ CHAT21_RATE_LIMITS: "off", CHAT21_REQUESTS_PER_MINUTE: requestsPerMinute },
      ...settings,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const forget = closeOnSignal(() => stop(child, "SIGTERM"));
  child.once("exit", forget);
  forwardWarnings(child);
  try {
    await waitUntilReady(readyUrl, () => isRunning(child));
  } catch (error) {
    await stop(child, "SIGKILL");
    throw error;
  }
  return {
    pid: child.pid as number,
    readyMs: Math.round(performance.now() - beganMs),
    kill: () => stop(child, "SIGKILL"),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    end: () => stop(child, "SIGTERM"),
  };
}

function profileArguments({ cpuProfileDir }: ServerProcessOptions): string[] {
  if (cpuProfileDir === undefined) return [];
  mkdirSync(cpuProfileDir, { recursive: true });
  return ["--cpu-prof", `--cpu-prof-dir=${resolve(cpuProfileDir)}`];
}

function forwardWarnings(child: ChildProcess): void {
  if (child.stdout === null) return;
  createInterface(child.stdout).on("line", (line) => {
    const level = /"level":(\d+)/.exec(line)?.[1];
    if (Number(level ?? warnLevel) >= warnLevel) process.stderr.write(`${line}\n`);
  });
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(child)) return;
  const exited = once(child, "exit");
  child.kill(signal);
  // A paused process would never see the other signal.
  child.kill("SIGCONT");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await exited;
  clearTimeout(timer);
}
