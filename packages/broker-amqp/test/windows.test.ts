import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AckWindow } from "../src/ack-window.ts";
import { Unconfirmed } from "../src/unconfirmed.ts";

describe("the window of acknowledgements", () => {
  it("never reaches beyond the first delivery that is not finished, and reaches it once", () => {
    const orders = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, n) => n + 1),
        { minLength: count, maxLength: count },
      ),
    );
    fc.assert(
      fc.property(orders, (order) => {
        const window = new AckWindow();
        const finished = new Set<number>();
        let last = 0;
        for (const tag of order) {
          window.finish(tag);
          finished.add(tag);
          let prefix = 0;
          while (finished.has(prefix + 1)) prefix += 1;
          expect(window.take()).toBe(prefix === last ? 0 : prefix);
          last = prefix;
        }
        expect(last).toBe(order.length);
        expect(window.take()).toBe(0);
      }),
    );
  });
});

type Step =
  | { readonly kind: "add" | "send" | "rewind" | "put back" | "drop" }
  | { readonly kind: "settle"; readonly which: number; readonly multiple: boolean };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<Step>({ kind: "add" }) },
    { weight: 5, arbitrary: fc.constant<Step>({ kind: "send" }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("settle" as const),
        which: fc.nat(30),
        multiple: fc.boolean(),
      }),
    },
    fc.constantFrom<Step[]>({ kind: "rewind" }, { kind: "put back" }, { kind: "drop" }),
  ),
  { maxLength: 200 },
);

describe("what waits for confirms", () => {
  it("behaves like two lists, one sent and one not", () => {
    fc.assert(
      fc.property(steps, (course) => {
        const real = new Unconfirmed<number>();
        let sent: { tag: number; item: number }[] = [];
        let unsent: number[] = [];
        let nextItem = 0;
        let nextTag = 1;
        let mayUndo = false;
        for (const step of course) {
          const wasSend = mayUndo;
          mayUndo = false;
          if (step.kind === "add") {
            real.add(nextItem);
            unsent.push(nextItem++);
          } else if (step.kind === "send") {
            const item = unsent.shift();
            expect(real.send()).toBe(item);
            if (item !== undefined) sent.push({ tag: nextTag++, item });
            mayUndo = item !== undefined;
          } else if (step.kind === "rewind") {
            real.rewind();
            unsent = [...sent.map(({ item }) => item), ...unsent];
            sent = [];
            nextTag = 1;
          } else if (step.kind === "settle") {
            const tag = step.which;
            const isMeant = (entry: { tag: number }) =>
              step.multiple ? entry.tag <= tag : entry.tag === tag;
            expect(real.settle(tag, step.multiple)).toEqual(sent.filter(isMeant).map(({ item }) => item));
            sent = sent.filter((entry) => !isMeant(entry));
          } else if (wasSend) {
            const undone = sent.pop();
            nextTag -= 1;
            if (step.kind === "put back") real.putBack();
            else real.drop();
            if (step.kind === "put back" && undone !== undefined) unsent.unshift(undone.item);
          }
          expect(real.size).toBe(sent.length + unsent.length);
        }
        expect(real.clear()).toEqual([...sent.map(({ item }) => item), ...unsent]);
        expect(real.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps no memory of what is long confirmed", () => {
    const real = new Unconfirmed<number>();
    for (let n = 1; n <= 100_000; n += 1) {
      real.add(n);
      expect(real.send()).toBe(n);
      expect(real.settle(n, n % 2 === 0)).toEqual([n]);
    }
    expect(real.clear()).toEqual([]);
  });
});
