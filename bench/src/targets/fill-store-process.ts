import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ReadingShape } from "../load/reading-history.ts";
import type { StoredShape } from "../load/stored-messages.ts";

/** An empty store: of the one process, by its data folder, or a database of the cluster. */
export type StorePlace = { readonly folder: string } | { readonly mongoUri: string };

/** The history to fill a store with. */
export type StoredHistory = ReadingShape | StoredShape;

const script = fileURLToPath(new URL("../fill-store.ts", import.meta.url));

/** Fills a store in a process of its own. Resolves with the seconds that it took. */
export async function fillStore(place: StorePlace, history: StoredHistory): Promise<number> {
  const beganMs = performance.now();
  const source = ["--disable-warning=ExperimentalWarning", "-C", "@chat21/source"];
  const child = spawn(process.execPath, [...source, script, JSON.stringify(place), JSON.stringify(history)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`the store could not be filled (exit code ${code})`);
  return Number(((performance.now() - beganMs) / 1_000).toFixed(1));
}
