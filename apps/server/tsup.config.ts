import { cp } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineConfig } from "tsup";
import { base } from "../../tsup.base.ts";

const ours = /^@chat21\//;
const { resolve } = createRequire(import.meta.url);
const builtOf = (name: string) => join(dirname(resolve(`${name}/package.json`)), "dist");

// The package stands alone: our own code is part of it, the web page and the database's worker lie beside it.
export default defineConfig({
  ...base,
  entry: ["src/index.ts", "src/cli.ts"],
  noExternal: [ours],
  dts: { ...base.dts, entry: "src/index.ts", resolve: [ours] },
  // Paths of the machine that built it are of no use to anybody.
  sourcemap: false,
  async onSuccess() {
    await cp(builtOf("@chat21/web"), "dist/web", { recursive: true });
    await cp(join(builtOf("@chat21/store-sqlite"), "sqlite-worker.js"), "dist/sqlite-worker.js");
  },
});
