import fc from "fast-check";
import { expect, it } from "vitest";
import { GreatestFirst } from "../src/worker/greatest-first.ts";

it("answers the greatest key first, whatever was collected and added", () => {
  const keys = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 30 });
  fc.assert(
    fc.property(keys, keys, (collected, added) => {
      const heap = new GreatestFirst();
      for (const key of collected) heap.collect(key, key);
      heap.arrange();
      for (const key of added) heap.add(key, key);
      const taken: number[] = [];

      while (heap.size > 0) {
        const greatest = heap.greatest();
        taken.push(heap.take() as number);
        expect(taken.at(-1)).toBe(greatest);
      }

      expect(taken).toEqual([...collected, ...added].toSorted((a, b) => b - a));
      expect([heap.greatest(), heap.take()]).toEqual([Number.NEGATIVE_INFINITY, undefined]);
    }),
  );
});
