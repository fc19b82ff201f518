import fc from "fast-check";
import { expect, it } from "vitest";
import { DispatchLog } from "../src/worker/dispatch-log.ts";

const end = 40;

function openLogPositions(log: DispatchLog, last = end): number[] {
  return log
    .open(last)
    .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index));
}

it("knows after any marks, and after a restart, which positions are open", () => {
  const mark = fc.tuple(fc.integer({ min: 1, max: end }), fc.integer({ min: 0, max: 6 }));
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 30 }), (marks) => {
      const marked = new Set<number>();
      const log = new DispatchLog();

      for (const [from, length] of marks) {
        log.mark(from, from + length);
        for (let logPosition = from; logPosition <= from + length; logPosition += 1) marked.add(logPosition);
      }

      const expected = Array.from({ length: end }, (_, index) => index + 1).filter((at) => !marked.has(at));
      expect(openLogPositions(log)).toEqual(expected);
      expect(openLogPositions(DispatchLog.parse(log.serialize()))).toEqual(expected);
    }),
  );
});

it("stays small however many events follow one that is not dispatched", () => {
  const log = new DispatchLog();

  for (let logPosition = 2; logPosition <= 10_000; logPosition += 1) log.mark(logPosition, logPosition);

  expect(log.serialize()).toBe("[0,[2,10000]]");
  expect(log.open(10_001)).toEqual([
    [1, 1],
    [10_001, 10_001],
  ]);
});

it("forgets marks of very many gaps when it is stored, but not the last, and never calls an open position marked", () => {
  const log = new DispatchLog();
  for (let logPosition = 2; logPosition <= 1_000; logPosition += 2) log.mark(logPosition, logPosition);

  const restarted = DispatchLog.parse(log.serialize());

  expect(log.serialize().length).toBeLessThan(1_500);
  expect([log.last, restarted.last]).toEqual([1_000, 1_000]);
  const open = new Set(openLogPositions(restarted, 1_001));
  expect(Array.from({ length: 500 }, (_, index) => 2 * index + 1).filter((at) => !open.has(at))).toEqual([]);
});
