import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Storage, StorageCollection, StoredRecord } from "./api/storage.ts";

/**
 * Keeps everything below `folder` (made with mode 0700 when it is missing), one file per record. So unsent messages and
 * positions survive a restart and a power cut: a record is written beside the old one, synced to disk, and renamed over
 * it. One running client per folder and user.
 */
export function fileStorage(folder: string): Storage {
  // The last call for each record: calls for one record take effect in their order.
  const tails = new Map<string, Promise<unknown>>();

  function inTurn<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
    const run = (tails.get(path) ?? Promise.resolve()).then(work);
    const tail = run
      .catch(() => undefined)
      .then(() => {
        if (tails.get(path) === tail) tails.delete(path);
      });
    tails.set(path, tail);
    return run;
  }

  return {
    get(collection, key) {
      const path = pathOf(folder, collection, key);
      return inTurn(path, async () => (await readRecord(path))?.value);
    },
    async list(collection, prefix) {
      await Promise.all(tails.values());
      const names = await ifThere(readdir(join(folder, collection)), []);
      const files = names.filter((name) => name.endsWith(".json"));
      const records = await Promise.all(
        files.map((name) =>
          // The key of a damaged file is not known.
          readRecord(join(folder, collection, name)).catch(() => ({ key: prefix + name, value: null })),
        ),
      );
      return records
        .filter((record) => record !== undefined)
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    put(collection, key, value) {
      const path = pathOf(folder, collection, key);
      return inTurn(path, () => writeRecord(join(folder, collection), path, { key, value }));
    },
    delete(collection, key) {
      const path = pathOf(folder, collection, key);
      return inTurn(path, () => rm(path, { force: true }));
    },
  };
}

// Keys are longer than a file's name may be, and have characters that it may not have.
function pathOf(folder: string, collection: StorageCollection, key: string): string {
  return join(folder, collection, `${createHash("sha256").update(key).digest("hex")}.json`);
}

async function readRecord(path: string): Promise<StoredRecord | undefined> {
  const text = await ifThere(readFile(path, "utf8"), undefined);
  if (text === undefined) return undefined;
  try {
    const record: StoredRecord | null = JSON.parse(text);
    if (typeof record?.key === "string") return record;
  } catch {}
  throw new Error(`the file ${path} is damaged; remove it to go on without it`);
}

async function writeRecord(folder: string, path: string, record: StoredRecord): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const beside = `${path}.${randomUUID()}.tmp`;
  const file = await open(beside, "wx", 0o600);
  try {
    await file.writeFile(JSON.stringify(record));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

async function ifThere<Value, Otherwise>(
  work: Promise<Value>,
  otherwise: Otherwise,
): Promise<Value | Otherwise> {
  try {
    return await work;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return otherwise;
    throw thrown;
  }
}
