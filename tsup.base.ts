import type { Options } from "tsup";

/** What every package's build has in common; a package spreads it and adds what differs. */
export const base = {
  entry: ["src/index.ts"],
  format: ["esm"],
  target: "node22",
  // The stripped name of node:sqlite is no module.
  removeNodeProtocol: false,
  // Declarations are made from the built declarations of the packages below, as a consumer will see them.
  dts: { compilerOptions: { customConditions: [] } },
  clean: true,
  sourcemap: true,
  treeshake: true,
} satisfies Options;
