import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { percentile } from "./percentile.ts";

/** Median time of a 4 KiB append with fsync in `folder`, milliseconds: the least cost of a commit. */
export function measureFsyncMs(folder: string, repetitions = 50): number {
  const temporary = mkdtempSync(join(folder, "chat21-fsync-"));
  const file = openSync(join(temporary, "probe"), "w");
  const block = Buffer.alloc(4_096, 1);
  const times: number[] = [];
  try {
    for (let i = 0; i < repetitions; i++) {
      const begin = performance.now();
      writeSync(file, block);
      fsyncSync(file);
      times.push(performance.now() - begin);
    }
  } finally {
    closeSync(file);
    rmSync(temporary, { recursive: true });
  }
  return Number(percentile(Float64Array.from(times).sort(), 0.5).toFixed(3));
}
