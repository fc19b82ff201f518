import { defaultClientConditions, defineConfig } from "vite";
import { compression } from "vite-plugin-compression2";

const server = `127.0.0.1:${process.env["CHAT21_HTTP_PORT"] ?? 8010}`;

export default defineConfig({
  // Relative URLs, so that the server may mount the console under any path.
  base: "./",
  // The styles use `light-dark()`; these are the oldest browsers that have it.
  build: { target: ["chrome123", "edge123", "firefox120", "safari17.5"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // Compressed once here, and not for every visitor.
  plugins: [compression({ algorithms: ["brotliCompress", "gzip"], threshold: 1_024 })],
  resolve: { conditions: ["@chat21/source", ...defaultClientConditions] },
  server: {
    proxy: {
      // The server accepts its own address only, so Host and Origin must name it.
      "/api": { target: `http://${server}`, changeOrigin: true, headers: { origin: `http://${server}` } },
      "/sse": { target: `http://${server}`, changeOrigin: true, headers: { origin: `http://${server}` } },
      "/ws": {
        target: `ws://${server}`,
        ws: true,
        changeOrigin: true,
        headers: { origin: `http://${server}` },
      },
    },
  },
});
