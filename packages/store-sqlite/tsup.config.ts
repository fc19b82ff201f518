import { defineConfig } from "tsup";
import { base } from "../../tsup.base.ts";

// The worker is one file without chunks, so that a bundle of the whole server can put it beside itself.
export default defineConfig({ ...base, entry: ["src/index.ts", "src/sqlite-worker.ts"], splitting: false });
