import type { Carrier } from "./spawned-server.ts";

/** Tells the process that spawned this one where it listens, and ends with it. */
export function announce(urls: Readonly<Record<Carrier, string>>): void {
  process.stdout.write(`${JSON.stringify(urls)}\n`);
  // The pipe ends even when the other process is killed.
  process.stdin.on("end", () => process.exit(0)).resume();
}
