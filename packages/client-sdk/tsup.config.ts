import { defineConfig } from "tsup";
import { base } from "../../tsup.base.ts";

export default defineConfig({
  ...base,
  entry: ["src/index.ts", "src/node.ts", "src/event-stream.ts"],
  platform: "neutral",
  target: "es2022",
  // Only src/node.ts needs Node.
  external: [/^node:/],
});
