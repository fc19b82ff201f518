import fc from "fast-check";
import { expect, it } from "vitest";
import { SeatTable, seatField } from "../src/worker/seat-table.ts";

it("holds one seat for each conversation, with its own fields, in the order in which they came", () => {
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
      expect(seats).toEqual([...expected].map(([id, value]) => [id, value, 0]));
    }),
  );
});

it("keeps seats in order of time, those that were looked up and the others apart", () => {
  const change = fc.record({
    conversation: fc.integer({ min: 1, max: 12 }),
    time: fc.integer({ min: 0, max: 5 }),
    isExact: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 12 }), (turns) => {
      const table = new SeatTable();
      for (const changes of turns) {
        const seats = changes.map(({ conversation, time, isExact }) => {
          const seat = table.seatIn(conversation);
          table.set(seat, seatField.time, time);
          table.set(seat, seatField.asOf, isExact ? 1 : 0);
          return seat;
        });

        table.arrange(seats);

        for (const isExact of [true, false]) {
          const order = isExact ? table.exact : table.unsure;
          const found = Array.from({ length: order.size }, (_, index) => order.at(index));
          const times = found.map((seat) => table.get(seat, seatField.time));
          const all = Array.from({ length: table.size }, (_, seat) => seat);
          expect(found.toSorted((a, b) => a - b)).toEqual(
            all.filter((seat) => table.isExact(seat) === isExact),
          );
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          expect(order.countBefore(3)).toBe(times.filter((time) => time < 3).length);
        }
      }
    }),
  );
});
