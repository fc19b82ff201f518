import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StoredShape } from "../load/stored-messages.ts";

/** A data folder with a history in it. */
export interface FilledDataFolder {
  readonly path: string;
  readonly seconds: number;
  readonly databaseMiB: number;
  remove(): void;
}

const script = fileURLToPath(new URL("../fill-store.ts", import.meta.url));

/** Makes a temporary data folder in `parentFolder` and fills it in a process of its own. */
export async function fillDataFolder(parentFolder: string, shape: StoredShape): Promise<FilledDataFolder> {
  const path = mkdtempSync(join(parentFolder, "chat21-bench-"));
  const remove = () => rmSync(path, { recursive: true });
  const beganMs = performance.now();
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "-C", "@chat21/source", script, path, JSON.stringify(shape)],
    {
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  const [code] = await once(child, "exit");
  if (code !== 0) {
    remove();
    throw new Error(`the store could not be filled (exit code ${code})`);
  }
  return {
    path,
    seconds: Number(((performance.now() - beganMs) / 1_000).toFixed(1)),
    databaseMiB: Math.round(statSync(join(path, "chat21.db")).size / 2 ** 20),
    remove,
  };
}
