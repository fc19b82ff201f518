import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Request, type Router } from "express";
import expressStaticGzip from "express-static-gzip";
import helmet from "helmet";

const yearSeconds = 365 * 24 * 60 * 60;

/** The built web page: beside this file in the package, in the workspace where it is built. */
export function findWebFolder(): string | undefined {
  const here = fileURLToPath(new URL(".", import.meta.url));
  return [join(here, "web"), join(here, "../../web/dist")].find((folder) =>
    existsSync(join(folder, "index.html")),
  );
}

/**
 * Serves the web page: files with a hash in their name for a year, everything else checked again on every visit. Files
 * go out as the build has compressed them, in Brotli before gzip. The page may reach only its own files and this server.
 */
export function webPage(folder: string, tls: boolean): Router {
  const router = express.Router();
  router.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          "default-src": ["'none'"],
          "base-uri": ["'none'"],
          "connect-src": ["'self'"],
          "font-src": ["'self'"],
          "form-action": ["'self'"],
          "frame-ancestors": ["'none'"],
          "img-src": ["'self'", "data:", "blob:", "https:"],
          "manifest-src": ["'self'"],
          "media-src": ["'self'", "blob:", "https:"],
          "script-src": ["'self'"],
          "style-src": ["'self'"],
          // MQTT.js keeps its clock in a worker made of a blob: a hidden page's own timers are too slow for keepalive.
          "worker-src": ["'self'", "blob:"],
        },
      },
      strictTransportSecurity: tls,
      xFrameOptions: { action: "deny" },
    }),
  );
  const compressed = { enableBrotli: true, orderPreference: ["br", "gzip"] };
  const forAYear = { immutable: true, maxAge: yearSeconds * 1_000 };
  router.use("/assets", expressStaticGzip(join(folder, "assets"), { ...compressed, serveStatic: forAYear }));
  router.use(
    expressStaticGzip(folder, {
      ...compressed,
      serveStatic: { cacheControl: false, setHeaders: neverStale },
    }),
  );
  return router;
}

/** Whether a request for `/` gets the page: all do, except those that ask for plain text, which the API answers. */
export function wantsPage(request: Request): boolean {
  return request.accepts(["text/html", "text/plain"]) !== "text/plain";
}

function neverStale(response: { setHeader(name: string, value: string): void }): void {
  response.setHeader("cache-control", "no-cache");
}
