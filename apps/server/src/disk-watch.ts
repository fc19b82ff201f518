import { statfs } from "node:fs/promises";
import type { Clock, Log } from "@chat21/engine";

/** Settings of {@link watchDisk}. */
export interface DiskWatchOptions {
  /** A folder on the disk. */
  readonly folder: string;
  readonly reserveMiB: number;
  readonly clock: Pick<Clock, "every">;
  readonly log: Pick<Log, "error" | "info">;
  /** Returns the bytes that this process may still write. @default asks the file system */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/** Watches how much room a disk has. */
export interface DiskWatch {
  /** Whether there is less than the reserve. As it was a few seconds ago at most. */
  isFull(): boolean;
  /** Idempotent. */
  stop(): void;
}

/** How often the disk is looked at. */
const intervalMs = 1_000;
const bytesPerMiB = 1_048_576;

/**
 * Looks at the disk now and every second. Each change is logged once. A file system that does not answer leaves the last
 * answer: the store itself tells when it cannot write.
 */
export async function watchDisk(options: DiskWatchOptions): Promise<DiskWatch> {
  const { folder, reserveMiB, clock, log, freeBytes = freeBytesOf } = options;
  let full = false;
  let looking = false;

  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const free = await freeBytes(folder).catch(() => undefined);
    looking = false;
    if (free === undefined) return;
    const isFull = free < reserveMiB * bytesPerMiB;
    if (isFull === full) return;
    full = isFull;
    const facts = { folder, freeMiB: Math.floor(free / bytesPerMiB), reserveMiB };
    if (full) log.error(facts, "the disk is nearly full: messages are refused until there is room");
    else log.info(facts, "the disk has room again: messages are taken");
  };

  await look();
  return { isFull: () => full, stop: clock.every(intervalMs, () => void look()) };
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
