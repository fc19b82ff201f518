import { describe, expect, it } from "vitest";
import { median } from "../src/report/median.ts";

describe("median", () => {
  it("is the middle one, whatever the order", () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it("is the mean of the two in the middle of an even number", () => {
    expect(median([4, 1, 10, 2])).toBe(3);
  });

  it("is NaN of nothing", () => {
    expect(median([])).toBeNaN();
  });
});
