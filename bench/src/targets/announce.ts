/**
 * Tells the process that spawned this one that this one is ready, with some facts; this process ends when the other
 * does.
 */
export function announce(facts: object): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
  // The pipe ends even when the other process is killed.
  process.stdin.on("end", () => process.exit(0)).resume();
}
