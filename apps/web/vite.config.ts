import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

export default defineConfig({
  // Relative URLs, so that the server may mount the console under any path.
  base: "./",
  plugins: [react()],
  resolve: { conditions: ["@chat21/source", ...defaultClientConditions] },
});
