import { describe, expect, it } from "vitest";
import { Gaps } from "../src/measure/gaps.ts";

describe("gaps", () => {
  it("finds the longest of any stream", () => {
    const gaps = new Gaps(2, 0);
    for (const nowMs of [10, 20, 70, 80]) gaps.note(0, nowMs);
    for (const nowMs of [40, 80]) gaps.note(1, nowMs);

    expect(gaps.take(90)).toBe(50);
  });

  it("counts one that has not ended", () => {
    const gaps = new Gaps(2, 0);
    gaps.note(0, 30);
    gaps.note(0, 100);

    expect(gaps.take(100)).toBe(100);
  });

  it("counts one that began before from its beginning, and forgets those that ended before", () => {
    const gaps = new Gaps(1, 0);
    gaps.note(0, 500);
    gaps.take(510);
    gaps.note(0, 530);

    expect(gaps.take(531)).toBe(30);
    expect(gaps.take(540)).toBe(10);
  });
});
