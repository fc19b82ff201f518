import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AckPrefix } from "../src/relay/ack-prefix.ts";

describe("the prefix that may be acknowledged", () => {
  it("reaches no further than what is done without a gap, in whatever order that happens", () => {
    const orders = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, i) => i + 1),
        { minLength: count },
      ),
    );
    fc.assert(
      fc.property(orders, (order) => {
        const prefix = new AckPrefix();
        const done = new Set<number>();
        let acknowledged = 0;
        for (const tag of order) {
          prefix.finish(tag);
          done.add(tag);
          acknowledged = prefix.take() ?? acknowledged;
          expect(done.has(acknowledged + 1)).toBe(false);
          for (let below = 1; below <= acknowledged; below++) expect(done.has(below)).toBe(true);
        }
        expect(acknowledged).toBe(order.length);
      }),
    );
  });

  it("says nothing twice", () => {
    const prefix = new AckPrefix();
    prefix.finish(1);

    expect([prefix.take(), prefix.take()]).toEqual([1, null]);
  });
});
