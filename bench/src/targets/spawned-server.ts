import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A server process of this folder. */
export interface SpawnedServer {
  readonly pid: number;
  readonly port: number;
  close(): Promise<void>;
}

/** Starts `bench/src/<script>`; it prints `{"port":…}` as its first line when it is ready. */
export async function spawnServer(
  script: string,
  nodeArguments: readonly string[] = [],
): Promise<SpawnedServer> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, ...nodeArguments, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit").then(() => {
      throw new Error(`${script} ended before it was ready`);
    }),
  ]);
  return {
    pid: child.pid as number,
    port: (JSON.parse(line) as { port: number }).port,
    close: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
