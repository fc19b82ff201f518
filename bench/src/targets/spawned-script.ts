import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process of this folder that is ready. */
export interface SpawnedScript {
  readonly pid: number;
  /** The facts that it gave to `announce`. */
  readonly announced: unknown;
  close(): Promise<void>;
}

/** Starts `bench/src/<script>`; it calls `announce` when it is ready. */
export async function spawnScript(script: string, ...args: readonly string[]): Promise<SpawnedScript> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const child = spawn(process.execPath, ["-C", "@chat21/source", path, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit").then(() => {
      throw new Error(`${script} ended before it was ready`);
    }),
  ]);
  return { pid: child.pid as number, announced: JSON.parse(line), close: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.stdin?.end();
  await exited;
}
