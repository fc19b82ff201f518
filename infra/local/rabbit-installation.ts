import { constants, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canInstall, install } from "./apt.ts";
import { cacheFolder } from "./cache-folder.ts";
import { canAccess } from "./can-access.ts";
import { runCommand, succeeds } from "./run-command.ts";

/** A RabbitMQ on this machine. */
export interface RabbitInstallation {
  /** Whose configuration it takes: a folder of `infra/rabbitmq`. */
  readonly series: RabbitSeries;
  /** Path in front of the names of its programs; empty where they are in the path. */
  readonly programs: string;
}

/** What is configured differently. */
export type RabbitSeries = "3.10" | "4";

/** Debian's; its scripts in the path refuse users who are not root or rabbitmq. */
const debianFolder = "/usr/lib/rabbitmq/bin/";

/** The system's own. */
async function findSystems(log: (line: string) => void): Promise<string> {
  if (await isRunnable(`${debianFolder}rabbitmq-server`)) return debianFolder;
  // Elsewhere, as Homebrew installs it.
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

/** The Debian release whose RabbitMQ is 4.0. It needs a newer C library than Debian 12 has. */
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
  // Whole or not at all, also when two processes do it.
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

/** Runs a program of that Debian on this machine's files, network and processes: it sees another `/usr`, and nobody else does. */
function scriptFor(program: string, root: string): string {
  const swap = `mount --bind "$0" /usr && exec "$@"`;
  return `#!/bin/sh\nexec unshare --mount sh -c '${swap}' '${root}/usr' ${debianFolder}${program} "$@"\n`;
}

/** The machine's RabbitMQ, or with `CHAT21_LOCAL_RABBITMQ=4` one of that series; installs what is missing. */
export async function findRabbit(log: (line: string) => void): Promise<RabbitInstallation> {
  const wanted = process.env["CHAT21_LOCAL_RABBITMQ"] ?? "";
  if (wanted === "4") return findFour(log);
  if (wanted !== "") throw new Error(`CHAT21_LOCAL_RABBITMQ is ${wanted}; only 4 may be asked for`);
  return { series: "3.10", programs: await findSystems(log) };
}

const isRunnable = (path: string) => canAccess(path, constants.X_OK);
