import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, OperatorError } from "@chat21/runtime";
import * as z from "zod";

/** Paths of the files in a data folder. */
export function dataPaths(folder: string) {
  return {
    database: join(folder, "chat21.db"),
    secret: join(folder, "jwt-secret"),
    webhookSecret: join(folder, "webhook-secret"),
    signInKey: join(folder, "sign-in-key"),
    running: join(folder, "server.json"),
  } as const;
}

/** Makes the folder when it is missing (mode 0700). Throws `OperatorError` when it cannot be written to. */
export function prepareDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new OperatorError(`${folder}: cannot be written to (${codeOf(cause)}); ${whatToDo(cause)}`, {
      cause,
    });
  }
}

/** File systems over a network or in user space, by their magic number (statfs(2)). */
const unsafeFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x517b, "SMB"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
]);

/** The name of a file system on which no data folder should be. @param type as `statfs` gives it */
export function unsafeFileSystem(type: number): string | undefined {
  // The number has 32 bits; above 2^31 some systems give it with a sign.
  return unsafeFileSystems.get(type >>> 0);
}

/**
 * What is wrong with the file system of a folder: SQLite's locks and its write-ahead log need a local disk. `undefined`
 * where nothing is, and where the system does not say.
 */
export async function fileSystemFault(folder: string): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  const name = unsafeFileSystem((await statfs(folder)).type);
  return name === undefined
    ? undefined
    : `${folder} is on ${name}: locks and the write-ahead log are not safe there; move it to a local disk`;
}

function whatToDo(cause: unknown): string {
  const otherwise = "or choose another folder with --data-dir or CHAT21_DATA_DIR";
  switch (codeOf(cause)) {
    case "EEXIST":
    case "ENOTDIR":
      return `something that is no folder is in the way: move it, ${otherwise}`;
    case "ENOSPC":
      return `the disk is full: make room, ${otherwise}`;
    default:
      return `give this user the right to write there, ${otherwise}`;
  }
}

/** Writes a small file that only this user may read, completely or not at all. Throws when it exists already. */
export function writePrivateFile(path: string, text: string): void {
  writeFileSync(path, text, { flag: "wx", mode: 0o600, flush: true });
}

/** The text of a private file, `undefined` where there is none. Removes other users' right to read it. */
export function readPrivateFile(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    return text;
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw new OperatorError(`${path}: cannot be read (${codeOf(cause)}); give this user the right to`, {
      cause,
    });
  }
}

const runningSchema = z.object({
  pid: z.number(),
  url: z.string(),
  mqttUrl: z.string().nullable(),
  startedAt: z.string(),
});

/** A running server's note about itself in its data folder, with which commands find it. */
export type RunningServer = z.infer<typeof runningSchema>;

/** Writes the note of a running server. */
export function writeRunningServer(folder: string, running: RunningServer): void {
  const path = dataPaths(folder).running;
  rmSync(path, { force: true });
  writePrivateFile(path, `${JSON.stringify(running, undefined, 2)}\n`);
}

/** The note of this folder's last server. The server may be gone: a killed one leaves its note behind. */
export function readRunningServer(folder: string): RunningServer | undefined {
  const text = readPrivateFile(dataPaths(folder).running);
  if (text === undefined) return undefined;
  try {
    return runningSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Removes the note of this process' server. */
export function removeRunningServer(folder: string): void {
  if (readRunningServer(folder)?.pid === process.pid) rmSync(dataPaths(folder).running, { force: true });
}
