import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Options for Playwright's `chromium.launch` in a browser test. */
export interface ChromiumLaunchOptions {
  readonly executablePath: string;
  readonly headless: true;
  readonly args: string[];
}

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"] as const;

/** Keeps the browser on this machine: without these arguments it looks up its maker's hosts at every start. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
] as const;

/**
 * Options to start the system's Chromium with; a launch with them gets a fresh profile from Playwright. Without a
 * Chromium on the PATH, root on a Debian-like system gets the package `chromium` installed first (a minute or two).
 * Throws when there is none and none can be installed: a browser test then fails, it is never skipped.
 */
export function chromiumLaunchOptions(): ChromiumLaunchOptions {
  return { executablePath: findOnPath(names) ?? installChromium(), headless: true, args: [...args] };
}

function installChromium(): string {
  const apt = findOnPath(["apt-get"]);
  if (process.getuid?.() !== 0 || apt === undefined) {
    throw new Error(
      `The browser tests need Chromium: none of ${names.join(", ")} is on the PATH. Install it from your system's packages.`,
    );
  }
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, stdio: "pipe" } as const;
  execFileSync(apt, ["update", "-qq"], options);
  execFileSync(apt, ["install", "-y", "-qq", "--no-install-recommends", "chromium"], options);
  const installed = findOnPath(names);
  if (installed === undefined)
    throw new Error("apt-get installed the package chromium, but it is not on the PATH.");
  return installed;
}

function findOnPath(candidates: readonly string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return candidates.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
