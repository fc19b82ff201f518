import { eventTypes } from "@chat21/protocol";
import { expect, it } from "vitest";
import { eventTypeCodes, eventTypeMask, eventTypeOf } from "../src/worker/event-type-codes.ts";
import { nameHash } from "../src/worker/name-hash.ts";

it("keeps the numbers of event types that stand in databases", () => {
  expect(eventTypeCodes).toEqual({
    ...{ message: 0, group_created: 1, group_updated: 2, member_added: 3, member_removed: 4, erased: 5 },
  });
  expect(eventTypes.map((type) => eventTypeOf(eventTypeCodes[type]))).toEqual([...eventTypes]);
  expect(eventTypeMask(["message", "erased"])).toBe(0b100001);
});

it("keeps the hashes of names that stand in databases", () => {
  const names = ["", "a", "7479c2a2-0c5b-4d6c-9a55-3a0a4c2b7d11", "ünïcödé 😀"];

  expect(names.map(nameHash)).toEqual([-2128831035, -468965076, 1758938718, -1139742121]);
});
