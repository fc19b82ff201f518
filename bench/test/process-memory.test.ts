import { describe, expect, it } from "vitest";
import { readResidentBytes, watchBySamples, watchPeak } from "../src/measure/process-memory.ts";

const size = 64 * 2 ** 20;

/** Memory of the system that is given back at once when it is let go. */
function takeMemory(): Buffer {
  return Buffer.alloc(size, 1);
}

describe.each([
  ["by the kernel, where it lets us", watchPeak],
  ["by samples", watchBySamples],
])("watching a process's memory %s", (_how, watch) => {
  it("tells the most there was since the watch began", () => {
    const peak = watch(process.pid);
    const taken = takeMemory();

    expect(peak.end() - peak.beginBytes).toBeGreaterThan(size * 0.8);
    expect(taken).toHaveLength(size);
  });

  it("begins with what there is", () => {
    const resident = readResidentBytes(process.pid);
    const peak = watch(process.pid);

    expect(Math.abs(peak.beginBytes - resident)).toBeLessThan(size / 4);
    expect(peak.end()).toBeGreaterThan(resident / 2);
  });
});
