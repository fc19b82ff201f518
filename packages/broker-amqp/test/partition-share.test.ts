import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideShare, shareOf } from "../src/partition-share.ts";

const observerNames = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 20,
});
const partitionCounts = fc.integer({ min: 1, max: 64 });

/** Lets everybody decide in turn, until nobody moves anything. */
function settle(owner: (string | null)[], observers: readonly string[]): number {
  for (let round = 0; round < 10; round += 1) {
    let moves = 0;
    for (const self of observers) {
      const all = [...owner.keys()];
      const own = all.filter((partition) => owner[partition] === self);
      const foreign = new Set(
        all.filter((partition) => owner[partition] !== self && owner[partition] !== null),
      );
      const decision = decideShare({ partitions: owner.length, self, observers, own, foreign });
      for (const partition of decision.release) owner[partition] = null;
      for (const partition of decision.take) owner[partition] = self;
      moves += decision.release.length + decision.take.length;
    }
    if (moves === 0) return round;
  }
  throw new Error("it never comes to rest");
}

describe("the share of partitions", () => {
  it("adds up to all partitions, and differs by at most one", () => {
    fc.assert(
      fc.property(observerNames, partitionCounts, (observers, partitions) => {
        const shares = observers.map((self) => shareOf(self, observers, partitions));

        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("counts oneself, whether one is listed or not", () => {
    expect(shareOf("b", ["a", "c"], 16)).toBe(5);
    expect(shareOf("a", ["b", "c"], 16)).toBe(6);
    expect(shareOf("a", [], 16)).toBe(16);
  });

  it("comes to cover all partitions evenly, whoever joins and leaves, and then nothing moves", () => {
    fc.assert(
      fc.property(
        fc.array(observerNames, { minLength: 1, maxLength: 5 }),
        partitionCounts,
        (lives, partitions) => {
          const owner: (string | null)[] = Array.from({ length: partitions }, () => null);
          for (const observers of lives) {
            // The leases of those who are gone run out.
            for (const [partition, name] of owner.entries()) {
              if (name !== null && !observers.includes(name)) owner[partition] = null;
            }
            settle(owner, observers);

            const counts = observers.map((self) => owner.filter((name) => name === self).length);
            expect(owner).not.toContain(null);
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
            expect(settle(owner, observers)).toBe(0);
          }
        },
      ),
    );
  });

  it("moves no more than it must when one joins", () => {
    const owner: (string | null)[] = Array.from({ length: 16 }, () => null);
    settle(owner, ["a", "b", "c"]);
    const before = [...owner];

    settle(owner, ["a", "b", "c", "d"]);

    expect(owner.filter((name, partition) => name !== before[partition])).toEqual(["d", "d", "d", "d"]);
  });

  it("never takes what somebody else has, nor gives up what is its share", () => {
    const foreign = new Set([0, 1, 2]);

    expect(decideShare({ partitions: 4, self: "a", observers: ["a"], own: [], foreign })).toEqual({
      release: [],
      take: [3],
    });
    expect(
      decideShare({ partitions: 4, self: "a", observers: ["b"], own: [2, 0, 3], foreign: new Set([1]) }),
    ).toEqual({
      release: [3],
      take: [],
    });
  });
});
