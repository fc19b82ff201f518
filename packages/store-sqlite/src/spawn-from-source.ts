import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { Worker } from "node:worker_threads";
import type { WorkerSetup } from "./worker-protocol.ts";

/** Modules by URL, as JavaScript. */
type Sources = Readonly<Record<string, string>>;

const relativeImports = /(?:\bfrom|^import)\s*"(\.[^"]+)"/gm;

const stripped = new Map<string, Sources>();

/** The entry and the files of its own that it imports, without types; made once in a process. */
function stripAll(entry: URL): Sources {
  const known = stripped.get(entry.href);
  if (known !== undefined) return known;
  const sources: Record<string, string> = {};
  const visit = (module: URL) => {
    if (sources[module.href] !== undefined) return;
    const source = stripTypeScriptTypes(readFileSync(module, "utf8"));
    sources[module.href] = source;
    for (const [, specifier = ""] of source.matchAll(relativeImports)) visit(new URL(specifier, module));
  };
  visit(entry);
  stripped.set(entry.href, sources);
  return sources;
}

// Runs in the worker, before the entry.
const bootstrap = `
const { registerHooks } = require("node:module");
const { workerData } = require("node:worker_threads");
const { entry, sources } = workerData.source;
registerHooks({
  load(url, context, next) {
    const source = sources[url];
    return source === undefined ? next(url, context) : { format: "module", source, shortCircuit: true };
  },
});
import(entry);
`;

/**
 * Starts a worker from TypeScript source, for development and tests; a built package never comes here. Types are
 * stripped by the main thread: Node does it with WebAssembly, and with several threads doing so at a time V8 crashes
 * the process now and then (seen here with Node 24.21; nodejs/node#64500).
 *
 * @public imported by name at run time
 */
export function createSourceSpawner(entry: URL): (setup: WorkerSetup) => Worker {
  const source = { entry: entry.href, sources: stripAll(entry) };
  return (setup) =>
    new Worker(bootstrap, { eval: true, workerData: { ...setup, source }, name: `chat21-${setup.role}` });
}
