import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "@chat21/engine";
import type { Read, Write } from "./worker-calls.ts";

/** How long an erasure tries to empty the write-ahead log while readers (an online backup) still need it. */
const truncateAttempts = 20;
const truncateRetryMs = 250;

/** Makes the function to call when the writer says that its log is long enough; see `worker/checkpoint.ts`. */
export function createCheckpoints(write: Write, read: Read, log: Log | undefined): () => void {
  let running = false;
  async function run(): Promise<void> {
    running = true;
    try {
      await read("checkpoint");
      await write("finishCheckpoint");
    } catch (error) {
      log?.warn({ err: error }, "a checkpoint failed; the next one carries on");
    }
    running = false;
  }
  return () => {
    if (!running) void run();
  };
}

/** Carries the log over and empties its file, so that no erased content is left in it. */
export async function emptyLog(write: Write, log: Log | undefined): Promise<void> {
  for (let attempt = 0; attempt < truncateAttempts; attempt += 1) {
    if (await write("truncateLog")) return;
    await delay(truncateRetryMs);
  }
  log?.warn({}, "what was erased stays in the write-ahead log until a running backup ends");
}
