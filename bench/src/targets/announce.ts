/** Tells the process that spawned this one that it is ready, and what it should know; ends with it. */
export function announce(facts: object): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
  // The pipe ends even when the other process is killed.
  process.stdin.on("end", () => process.exit(0)).resume();
}
