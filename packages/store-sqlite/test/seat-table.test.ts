import fc from "fast-check";
import { expect, it } from "vitest";
import { SeatTable, seatField } from "../src/worker/seat-table.ts";

it("holds one seat for each conversation, in ascending order, with its own fields", () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const table = new SeatTable();
      const expected = new Map<number, number>();

      for (const [conversation, value] of steps) {
        table.set(table.seatIn(conversation), seatField.changed, value);
        expected.set(conversation, value);
      }

      const seats = Array.from({ length: table.size }, (_, seat) => {
        return [
          table.get(seat, seatField.conversation),
          table.get(seat, seatField.changed),
          table.get(seat, seatField.asOf),
        ];
      });
      expect(seats).toEqual([...expected].toSorted(([a], [b]) => a - b).map(([id, value]) => [id, value, 0]));
    }),
  );
});
