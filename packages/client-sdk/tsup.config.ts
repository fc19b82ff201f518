import { defineConfig } from "tsup";
import { base } from "../../tsup.base.ts";

export default defineConfig([
  { ...base, platform: "neutral", target: "es2022" },
  // The only part that needs Node. The first one has cleaned the folder.
  { ...base, entry: ["src/node.ts"], clean: false },
]);
