import { describe, expect, it } from "vitest";
import { percentile } from "../src/measure/percentile.ts";

const upTo = (count: number) => Float64Array.from({ length: count }, (_, index) => index + 1);

describe("a percentile", () => {
  it.each([
    [100, 0.5, 50],
    [100, 0.99, 99],
    [100, 1, 100],
    [3, 0.5, 2],
    [1, 0.01, 1],
  ])("of 1..%i at %d is %i", (count, share, expected) => {
    expect(percentile(upTo(count), share)).toBe(expected);
  });

  it("of nothing is no number", () => {
    expect(percentile(new Float64Array(0), 0.5)).toBeNaN();
  });
});
