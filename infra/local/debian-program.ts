import { constants, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { canInstall } from "./apt.ts";
import { cacheFolder } from "./cache-folder.ts";
import { canAccess } from "./can-access.ts";
import { runCommand, succeeds } from "./run-command.ts";

/**
 * Returns how to call a program of a Debian package: the one in the path, else the one of the package, whose files are
 * unpacked into the cache folder and not installed. Rejects with what to do where there are no packages of Debian.
 */
export async function findDebianProgram(packageName: string, path: string): Promise<string> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (await succeeds("sh", ["-c", `command -v ${name}`])) return name;
  const folder = join(cacheFolder(), `debian-${packageName}`);
  const program = join(folder, path);
  if (!(await canAccess(program, constants.X_OK))) await unpack(packageName, folder);
  return program;
}

/** The path of a file of a Debian package: the one of the system, else as {@link findDebianProgram} finds programs. */
export async function findDebianFile(packageName: string, path: string): Promise<string> {
  if (await canAccess(`/${path}`)) return `/${path}`;
  const folder = join(cacheFolder(), `debian-${packageName}`);
  const file = join(folder, path);
  if (!(await canAccess(file))) await unpack(packageName, folder);
  return file;
}

/**
 * {@link findDebianFile} for a library.
 * @param path below the folder of libraries of this machine's architecture
 */
export function findDebianLibrary(packageName: string, path: string): Promise<string> {
  const architecture = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  return findDebianFile(packageName, join("usr/lib", architecture, path));
}

async function unpack(packageName: string, folder: string): Promise<void> {
  if (!(await canInstall()))
    throw new Error(`there is no ${packageName}: install it, or run this as root on Debian or Ubuntu`);
  await mkdir(cacheFolder(), { recursive: true });
  const beside = await mkdtemp(`${folder}.`);
  try {
    await runCommand("apt-get", ["update"], { timeoutMs: 300_000 });
    const download = `cd "$1" && apt-get download "$2"`;
    await runCommand("sh", ["-c", download, "sh", beside, packageName], { timeoutMs: 300_000 });
    const file = (await readdir(beside)).find((name) => name.endsWith(".deb")) ?? "";
    await runCommand("dpkg-deb", ["--extract", join(beside, file), join(beside, "files")]);
    // The rename makes the whole folder appear at once, even when two tests unpack it.
    await rename(join(beside, "files"), folder).catch(async (error: unknown) => {
      if (!(await canAccess(folder))) throw error;
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}
