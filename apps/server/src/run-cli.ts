import { exitCodes, failureText } from "@chat21/runtime";
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";

/**
 * Runs one command line and sets the exit code. Every failure is one line on standard error that says what is wrong;
 * only unexpected errors come with a stack.
 */
export async function runCli(argv: readonly string[]): Promise<void> {
  // Files that a command makes are for its user alone.
  process.umask(0o077);
  // A reader that ends early (`chat21 tail | head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(exitCodes.ok);
  });
  try {
    const isBare = argv.length <= 2;
    await createProgram().parseAsync(isBare ? [...argv, "start"] : [...argv]);
  } catch (thrown) {
    process.exitCode = report(thrown);
  }
}

function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  process.stderr.write(`chat21: ${failureText(thrown)}\n`);
  return exitCodes.failure;
}
