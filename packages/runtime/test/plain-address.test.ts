import { expect, it } from "vitest";
import { plainAddress } from "../src/index.ts";

it.each([
  ["203.0.113.7", "203.0.113.7"],
  ["203.0.113.7:80", "203.0.113.7"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["[fe80::1%eth0]:9", "fe80::1"],
  ["::FFFF:203.0.113.7", "203.0.113.7"],
  ["unknown", "unknown"],
  ["203.0.113.999:80", "203.0.113.999:80"],
])("takes %s for %s", (given, plain) => {
  expect(plainAddress(given)).toBe(plain);
});
