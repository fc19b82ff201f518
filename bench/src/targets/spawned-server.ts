import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What carries MQTT. */
export type Carrier = "tcp" | "ws";

/** A server process of this folder. */
export interface SpawnedServer {
  readonly pid: number;
  /** Where it listens, by carrier. */
  readonly urls: Readonly<Record<Carrier, string>>;
  close(): Promise<void>;
}

/** Starts `bench/src/<script>`; it calls `announce` when it is ready. */
export async function spawnServer(script: string): Promise<SpawnedServer> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const child = spawn(process.execPath, ["-C", "@chat21/source", path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit").then(() => {
      throw new Error(`${script} ended before it was ready`);
    }),
  ]);
  return {
    pid: child.pid as number,
    urls: JSON.parse(line),
    close: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.stdin?.end();
  await exited;
}
