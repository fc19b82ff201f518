import type { Delivery } from "@chat21/engine";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeDeliveries, encodeDeliveries } from "../src/nodes/parcels.ts";

const word = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const delivery = fc
  .record({
    app: word,
    user: word,
    payload: fc.oneof(fc.constantFrom('{"text":"same"}', ""), fc.string({ unit: "binary" })),
    qos: fc.constantFrom(0 as const, 1 as const),
  })
  .map(
    (given): Delivery => ({
      ...given,
      topic: `apps/${given.app}/users/${given.user}/messages/é/clientadded`,
    }),
  );

describe("deliveries as bytes", () => {
  it("come out as they went in, in order", () => {
    fc.assert(
      fc.property(fc.array(delivery), (deliveries) => {
        expect(decodeDeliveries(encodeDeliveries(deliveries))).toEqual(deliveries);
      }),
    );
  });

  it("hold a text once for all inboxes in a row, more than a counter of 16 bits can name", () => {
    const payload = "x".repeat(64 * 1024);
    const one: Delivery = { app: "a", user: "u", topic: "apps/a/users/u/e", payload, qos: 1 };
    const frame = encodeDeliveries(Array.from({ length: 70_000 }, () => one));

    expect(decodeDeliveries(frame)).toHaveLength(70_000);
    expect(frame.length).toBeLessThan(2 * payload.length + 70_000 * 20 + 100);
  });

  it("that were cut are refused", () => {
    const frame = encodeDeliveries([
      { app: "a", user: "u", topic: "apps/a/users/u/e", payload: "text", qos: 1 },
    ]);

    for (let size = 1; size < frame.length; size++) {
      expect(() => decodeDeliveries(frame.subarray(0, size))).toThrow(RangeError);
    }
  });
});
