import { readdir, readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const source = new URL("../src/", import.meta.url);

/** What a module imports at run time: everything but `import type`. */
async function runtimeImports(module: URL): Promise<string[]> {
  const text = await readFile(module, "utf8");
  const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+"([^"]+)";/gms);
  return [...statements].map(([, specifier = ""]) => specifier);
}

it("lets the worker import nothing but Node and its own files, so that one file can be put beside any bundle", async () => {
  const seen = new Set<string>();
  const foreign: string[] = [];
  const visit = async (module: URL) => {
    if (seen.has(module.href)) return;
    seen.add(module.href);
    for (const specifier of await runtimeImports(module)) {
      if (specifier.startsWith(".")) await visit(new URL(specifier, module));
      else if (!specifier.startsWith("node:")) foreign.push(`${module.pathname}: ${specifier}`);
    }
  };

  await visit(new URL("sqlite-worker.ts", source));

  expect(foreign).toEqual([]);
  expect(seen.size).toBeGreaterThan((await readdir(new URL("worker/", source))).length * 0.8);
});
