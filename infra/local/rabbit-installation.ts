import { constants, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canInstall, install } from "./apt.ts";
import { cacheFolder } from "./cache-folder.ts";
import { canAccess } from "./can-access.ts";
import { runCommand, succeeds } from "./run-command.ts";

/** An installed RabbitMQ. */
export interface RabbitInstallation {
  /** Names the folder of `infra/rabbitmq` with its configuration. */
  readonly series: RabbitSeries;
  /** Folder of its programs, with a slash at the end. Empty when they are in the path. */
  readonly programs: string;
}

/**
 * Returns the machine's RabbitMQ, or RabbitMQ 4 where "4" is wanted. Installs it when it is missing.
 * @param wanted @default the variable `CHAT21_LOCAL_RABBITMQ`
 */
export async function findRabbit(
  log: (line: string) => void,
  wanted = process.env["CHAT21_LOCAL_RABBITMQ"] ?? "",
): Promise<RabbitInstallation> {
  if (wanted === "4") return findFour(log);
  if (wanted !== "") throw new Error(`CHAT21_LOCAL_RABBITMQ: expected 4 or nothing, got ${wanted}`);
  return { series: "3.10", programs: await findSystems(log) };
}

/** Versions of RabbitMQ that need different configurations. */
export type RabbitSeries = "3.10" | "4";

/** Debian's folder of programs. Its scripts in the path accept only the users root and rabbitmq. */
const debianFolder = "/usr/lib/rabbitmq/bin/";

/** Finds or installs the system's RabbitMQ. Returns the folder of its programs. */
async function findSystems(log: (line: string) => void): Promise<string> {
  if (await isRunnable(`${debianFolder}rabbitmq-server`)) return debianFolder;
  // Homebrew, for example, installs it elsewhere.
  if (await succeeds("sh", ["-c", "command -v rabbitmq-server"])) return "";
  if (await canInstall()) {
    log("installing rabbitmq-server");
    await install("rabbitmq-server");
    return debianFolder;
  }
  throw new Error(
    "there is no RabbitMQ. Do one of: set RABBITMQ_URI to one; start Docker; install rabbitmq-server, " +
      "or run this as root on Debian or Ubuntu, which installs it",
  );
}

/** The Debian release with RabbitMQ 4.0. Its programs need a newer C library than Debian 12 has. */
const debian = { release: "trixie", version: "4.0" } as const;

async function findFour(log: (line: string) => void): Promise<RabbitInstallation> {
  const folder = join(cacheFolder(), `rabbitmq-${debian.version}`);
  if (!(await isRunnable(join(folder, "rabbitmq-server")))) await installFour(folder, log);
  return { series: "4", programs: `${folder}/` };
}

async function installFour(folder: string, log: (line: string) => void): Promise<void> {
  if (!(await canInstall()))
    throw new Error("RabbitMQ 4 is installed as root on Debian only; set RABBITMQ_URI to one instead");
  log(`installing RabbitMQ ${debian.version} with a small Debian around it to ${folder}`);
  await install("debootstrap", "debian-archive-keyring");
  // The rename makes the whole folder appear at once, even when two processes install it.
  const beside = `${folder}.${process.pid}`;
  const root = join(beside, "root");
  await mkdir(root, { recursive: true });
  try {
    const args = ["--variant=minbase", "--include=rabbitmq-server", debian.release, root];
    await runCommand("debootstrap", args, { timeoutMs: 900_000 });
    for (const name of await readdir(join(root, debianFolder))) {
      await writeFile(join(beside, name), scriptFor(name, join(folder, "root")), { mode: 0o755 });
    }
    await rename(beside, folder).catch(async (error: unknown) => {
      if (!(await isRunnable(join(folder, "rabbitmq-server")))) throw error;
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** Returns a script that runs a program of that Debian on this machine. Only this program sees the other `/usr`. */
function scriptFor(program: string, root: string): string {
  const swap = `mount --bind "$0" /usr && exec "$@"`;
  return `#!/bin/sh\nexec unshare --mount sh -c '${swap}' '${root}/usr' ${debianFolder}${program} "$@"\n`;
}

const isRunnable = (path: string) => canAccess(path, constants.X_OK);
