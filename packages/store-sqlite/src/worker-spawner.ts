import { Worker } from "node:worker_threads";
import type { WorkerSetup } from "./worker-protocol.ts";

/** Starts a thread. */
export type SpawnWorker = (setup: WorkerSetup) => Worker;

/**
 * Node 22 warns at every start of a thread that its database module is experimental; nobody can act on it. Of this
 * process' flags only those of the profilers are passed on: other flags belong to the whole process (V8's), and a
 * thread that is given them does not start.
 */
const execArgv = [
  ...process.execArgv.filter((flag) => /^--(cpu|heap)-prof/.test(flag)),
  "--disable-warning=ExperimentalWarning",
];

/** Exists in source only; the name is one that no bundler follows. */
const fromSource = "./spawn-from-source.ts";

/** How to start the threads: from the built file, or from source when the package itself runs from source. */
export async function createWorkerSpawner(url: URL | undefined): Promise<SpawnWorker> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const entry = url ?? new URL(`./sqlite-worker.${extension}`, import.meta.url);
  if (!entry.pathname.endsWith(".ts")) {
    return (setup) => new Worker(entry, { workerData: setup, name: `chat21-${setup.role}`, execArgv });
  }
  const { createSourceSpawner } = (await import(fromSource)) as typeof import("./spawn-from-source.ts");
  return createSourceSpawner(entry);
}
