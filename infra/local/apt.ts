import { canAccess } from "./can-access.ts";
import { runCommand } from "./run-command.ts";

/** Says whether packages of Debian or Ubuntu can be installed here. */
export async function canInstall(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return canAccess("/usr/bin/apt-get");
}

/** Installs packages without starting their services. */
export async function install(...packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await runCommand("apt-get", ["update"], { env, timeoutMs: 300_000 });
  const args = ["install", "--yes", "--no-install-recommends", ...packages];
  await runCommand("apt-get", args, { env, timeoutMs: 600_000 });
}
