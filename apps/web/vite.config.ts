import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

const server = `127.0.0.1:${process.env["CHAT21_HTTP_PORT"] ?? 8010}`;

export default defineConfig({
  // Relative URLs, so that the server may mount the console under any path.
  base: "./",
  plugins: [react()],
  resolve: { conditions: ["@chat21/source", ...defaultClientConditions] },
  server: {
    proxy: {
      // The server accepts its own address only, so Host and Origin must name it.
      "/api": { target: `http://${server}`, changeOrigin: true, headers: { origin: `http://${server}` } },
      "/ws": {
        target: `ws://${server}`,
        ws: true,
        changeOrigin: true,
        headers: { origin: `http://${server}` },
      },
    },
  },
});
