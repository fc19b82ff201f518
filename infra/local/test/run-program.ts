import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { testEnvironment } from "./start-cluster.ts";

/** A running program. */
export interface Running {
  readonly pid: number;
  /** Resolves with the fields of its ready line. Rejects when the program ends before. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  readonly ended: Promise<Ended>;
  /** The output until now. */
  stdout(): string;
  signal(signal: NodeJS.Signals): void;
}

/** Starts a built program. Its environment has only the given variables. */
export function runProgram(
  program: Program,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Running {
  const script = fileURLToPath(new URL(`../../../apps/${program}/dist/cli.js`, import.meta.url));
  if (!existsSync(script)) throw new Error(`${script} is not built: run "pnpm build" first`);
  const child = spawn(process.execPath, [script, ...args], {
    env: testEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    texts.stderr += chunk;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...texts }));
  const ready = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      texts.stdout += chunk;
      const line = texts.stdout.split("\n").find((one) => one.includes('"msg":"ready"'));
      if (line?.endsWith("}")) resolve(JSON.parse(line));
    });
    ended.then(({ code, stderr }) => reject(new Error(`${program} ended with ${code}: ${stderr}`)));
  });
  // A test that runs a program to its end does not use `ready`, so its rejection must be handled here.
  ready.catch(() => {});
  return {
    ...{ pid: child.pid as number, ready, ended },
    stdout: () => texts.stdout,
    signal: (signal) => void child.kill(signal),
  };
}

/** The programs of the cluster, and the one-process server, whose commands work on a cluster. */
export type Program = "http-api" | "observer" | "server" | "webhooks";

/** Exit code and output of a program that has ended. */
interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
