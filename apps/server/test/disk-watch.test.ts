import { createManualClock } from "@chat21/testkit";
import { expect, it } from "vitest";
import { watchDisk } from "../src/disk-watch.ts";

const mib = 1_048_576;

it("tells of a full disk and of room again, each once in the log, and keeps its answer while the disk gives none", async () => {
  const clock = createManualClock();
  const said: string[] = [];
  const log = {
    error: (_fields: object, message: string) => void said.push(message),
    info: (_fields: object, message: string) => void said.push(message),
  };
  let free: number | Error = 300 * mib;
  const freeBytes = async () => {
    if (free instanceof Error) throw free;
    return free;
  };
  const disk = await watchDisk({ folder: "/data", reserveMiB: 256, clock, log, freeBytes });
  const answers: boolean[] = [disk.isFull()];

  for (const next of [255 * mib, 100 * mib, new Error("no answer"), 256 * mib, 400 * mib]) {
    free = next;
    await clock.advance(1_000);
    answers.push(disk.isFull());
  }
  disk.stop();
  free = 0;
  await clock.advance(5_000);

  expect(answers).toEqual([false, true, true, true, false, false]);
  expect(disk.isFull()).toBe(false);
  expect(said).toEqual([
    "the disk is nearly full: messages are refused until there is room",
    "the disk has room again: messages are taken",
  ]);
});
