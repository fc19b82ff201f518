import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDebianLibrary } from "../../../infra/local/debian-program.ts";

/** The wall clock of processes that are started with its variables. Their monotonic clock stays the machine's. */
export interface FakeTime {
  /** Environment of the processes. */
  readonly env: Readonly<Record<string, string>>;
  /** Sets their wall clock so many seconds ahead of the machine's; behind when it is negative. It counts at once. */
  set(seconds: number): void;
  /** Removes what it needs. Call it when the processes have ended. */
  close(): void;
}

/**
 * A wall clock that a test moves under real processes, by Debian's package `libfaketime`, which is unpacked where the
 * machine does not have it. Rejects with what to do where there are no packages of Debian.
 */
export async function createFakeTime(): Promise<FakeTime> {
  const library = await findDebianLibrary("libfaketime", "faketime/libfaketimeMT.so.1");
  const folder = mkdtempSync(join(tmpdir(), "chat21-clock-"));
  const file = join(folder, "offset");
  const set = (seconds: number) => {
    // By a rename: no process reads half a number.
    writeFileSync(`${file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    renameSync(`${file}.new`, file);
  };
  set(0);
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
    set,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
