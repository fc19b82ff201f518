import { registerHooks } from "node:module";

// The bench runs the workspace's packages from their sources, built or not: it needs no flag. The server that it
// measures is the built one, in a process of its own.
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier, { ...context, conditions: ["@chat21/source", ...context.conditions] }),
});

const { bench } = await import("./bench.ts");
await bench(process.argv.slice(2));
