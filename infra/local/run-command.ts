import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a command to its end. Resolves with its output. Rejects with its error output when it fails. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { env = {}, timeoutMs = 60_000 }: CommandOptions = {},
): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], {
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      maxBuffer: 16 * 1_024 * 1_024,
    });
    return stdout;
  } catch (cause) {
    const printed = (cause as { stderr?: string }).stderr?.trim().split("\n").slice(-3).join(" ") ?? "";
    throw new Error(`${command} ${args.join(" ")} failed: ${printed || String(cause)}`, { cause });
  }
}

/** Settings of {@link runCommand}. */
export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** @default 60,000 */
  readonly timeoutMs?: number;
}

const execute = promisify(execFile);

/** Says whether the command runs and succeeds. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return runCommand(command, args, { timeoutMs: 10_000 }).then(
    () => true,
    () => false,
  );
}
