import { runCommand, succeeds } from "./run-command.ts";

/** Says whether a Docker engine answers. The installed command alone is not enough. */
export function isDockerRunning(): Promise<boolean> {
  return succeeds("docker", ["info", "--format", "{{.ServerVersion}}"]);
}

/** Starts a container that is removed when it ends. */
export async function runContainer(name: string, args: readonly string[]): Promise<void> {
  await runCommand("docker", ["run", "--detach", "--rm", "--name", name, ...args], { timeoutMs: 600_000 });
}

/** Removes a container, if it runs. */
export async function removeContainer(name: string): Promise<void> {
  await runCommand("docker", ["rm", "--force", "--volumes", name]);
}
