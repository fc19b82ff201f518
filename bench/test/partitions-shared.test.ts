import { describe, expect, it } from "vitest";
import { isEven } from "../src/targets/partitions-shared.ts";

describe("partitions", () => {
  it.each([
    [[16], true],
    [[8, 8], true],
    [[6, 5, 5], true],
    [[16, 0], false],
    [[9, 7], false],
    [[8, 7], false],
    [[9, 8], false],
    [[0], false],
  ])("held %j are evenly shared: %s", (shares, expected) => {
    expect(isEven(shares)).toBe(expected);
  });
});
