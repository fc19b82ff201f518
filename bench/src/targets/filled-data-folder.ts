import { mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fillStore, type StoredHistory } from "./fill-store-process.ts";

/** A data folder with a history in it. */
export interface FilledDataFolder {
  readonly path: string;
  readonly seconds: number;
  readonly databaseMiB: number;
  remove(): void;
}

/** Makes a temporary data folder in `parentFolder` and fills it. */
export async function fillDataFolder(
  parentFolder: string,
  history: StoredHistory,
): Promise<FilledDataFolder> {
  const path = mkdtempSync(join(parentFolder, "chat21-bench-"));
  const remove = () => rmSync(path, { recursive: true });
  try {
    const seconds = await fillStore({ folder: path }, history);
    const databaseMiB = Math.round(statSync(join(path, "chat21.db")).size / 2 ** 20);
    return { path, seconds, databaseMiB, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
