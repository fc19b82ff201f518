import { mkdtemp, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeDown } from "../../../infra/local/service-folder.ts";
import { servicesFolderVariable } from "./services.ts";

/** Memory that the services of a run may need. */
const neededBytes = 2 * 1_024 ** 3;

/**
 * A folder in memory if there is enough of it: the tests ask for a thousand durable writes, and measure none of them.
 */
async function chooseParent(): Promise<string> {
  const { bavail, bsize } = await statfs("/dev/shm").catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize >= neededBytes ? "/dev/shm" : tmpdir();
}

/**
 * Vitest's global setup: a folder for the run's services. They start when a test asks for them, and end with the run.
 */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(await chooseParent(), "chat21-services-"));
  process.env[servicesFolderVariable] = folder;
  return () => takeDown(folder);
}
