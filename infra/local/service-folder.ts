import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, isProcessOf } from "./processes.ts";
import { type MongoService, type StartOptions, startMongo, stopMongo } from "./start-mongo.ts";
import { type RabbitOptions, type RabbitService, startRabbit, stopRabbit } from "./start-rabbit.ts";

/** The running services, as recorded in the folder. */
export interface Services {
  readonly mongo?: MongoService;
  readonly rabbit?: RabbitService;
}

const lookEveryMs = 100;

const statePath = (folder: string) => join(folder, "services.json");

/** Reads the running services. There are none when the folder does not exist. */
export async function readServices(folder: string): Promise<Services> {
  try {
    return JSON.parse(await readFile(statePath(folder), "utf8")) as Services;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

async function writeServices(folder: string, services: Services): Promise<void> {
  const path = statePath(folder);
  await writeFile(`${path}.new`, `${JSON.stringify(services, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const holder = Number(await readFile(path, "utf8").catch(() => ""));
  if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
  return false;
}

/** Calls `run` while no other process starts or stops services in the folder. */
async function locked<T>(folder: string, run: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "lock");
  while (!(await tryLock(path))) await delay(lookEveryMs);
  try {
    return await run();
  } finally {
    await rm(path, { force: true });
  }
}

function isUp({ pid }: { readonly pid: number | null }, folder: string): boolean {
  return pid === null || isProcessOf(pid, folder);
}

/** Returns the folder's running MongoDB, or starts one. Calls at the same time get the same one. */
export function mongoOf(folder: string, options: Omit<StartOptions, "folder"> = {}): Promise<MongoService> {
  const path = resolve(folder);
  return locked(path, async () => {
    const known = await readServices(path);
    if (known.mongo !== undefined && isUp(known.mongo, path)) return known.mongo;
    const mongo = await startMongo({ ...options, folder: path });
    await writeServices(path, { ...known, mongo });
    return mongo;
  });
}

/** Returns the folder's running RabbitMQ, or starts one. Calls at the same time get the same one. */
export function rabbitOf(
  folder: string,
  options: Omit<RabbitOptions, "folder"> = {},
): Promise<RabbitService> {
  const path = resolve(folder);
  return locked(path, async () => {
    const known = await readServices(path);
    if (known.rabbit !== undefined && isUp(known.rabbit, path)) return known.rabbit;
    const rabbit = await startRabbit({ ...options, folder: path });
    await writeServices(path, { ...known, rabbit });
    return rabbit;
  });
}

/** Stops the recorded services and removes the folder with all data. */
export async function takeDown(folder: string): Promise<void> {
  const path = resolve(folder);
  const { mongo, rabbit } = await readServices(path);
  await Promise.all([
    mongo !== undefined && isUp(mongo, path) && stopMongo(mongo),
    rabbit !== undefined && isUp(rabbit, path) && stopRabbit(rabbit),
  ]);
  await rm(path, { recursive: true, force: true });
}
