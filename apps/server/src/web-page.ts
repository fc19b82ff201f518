import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Router } from "express";
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
 * Serves the web page: files with a hash in their name for a year, everything else checked again on every visit.
 * Nothing but its own files and this server may be reached from the page.
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
          "worker-src": ["'self'"],
        },
      },
      strictTransportSecurity: tls,
      xFrameOptions: { action: "deny" },
    }),
  );
  router.use(
    "/assets",
    express.static(join(folder, "assets"), { immutable: true, maxAge: yearSeconds * 1_000 }),
  );
  router.use(express.static(folder, { cacheControl: false, setHeaders: neverStale }));
  return router;
}

function neverStale(response: { setHeader(name: string, value: string): void }): void {
  response.setHeader("cache-control", "no-cache");
}
