import { eventCodes } from "@chat21/protocol";
import { expect, it } from "vitest";
import { createEventNames, messageCode } from "../src/worker/event-codes.ts";
import { nameHash } from "../src/worker/name-hash.ts";

it("keeps the numbers of kinds, and reads a number that it does not know by itself", () => {
  const names = createEventNames({ ...eventCodes, last_of_all: 62 });

  expect([names.codeOf("message"), names.nameOf(messageCode)]).toEqual([0, "message"]);
  expect(["erased", "last_of_all"].map((type) => names.nameOf(names.codeOf(type)))).toEqual([
    ...["erased", "last_of_all"],
  ]);
  expect([names.nameOf(5), names.nameOf(61)]).toEqual(["#5", "#61"]);
  expect(names.maskOf(["message", "erased", "last_of_all", "unheard_of"])).toBe(0b1000001n | (1n << 62n));
  expect(() => names.codeOf("unheard_of")).toThrow("the store knows no events of the kind unheard_of");
});

it("keeps the hashes of names that stand in databases", () => {
  const names = ["", "a", "7479c2a2-0c5b-4d6c-9a55-3a0a4c2b7d11", "ünïcödé 😀"];

  expect(names.map(nameHash)).toEqual([-2128831035, -468965076, 1758938718, -1139742121]);
});
