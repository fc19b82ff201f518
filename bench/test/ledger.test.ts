import { describe, expect, it } from "vitest";
import { Ledger, sumTotals } from "../src/load/ledger.ts";

function sentBook(messages: number, receivers = 1): Ledger {
  const ledger = new Ledger(receivers);
  for (let i = 0; i < messages; i++) ledger.send(100 + i);
  return ledger;
}

describe("the ledger", () => {
  it("finds nothing wrong when everything comes once and in order", () => {
    const ledger = sentBook(3_000);
    for (let i = 0; i < 3_000; i++) {
      expect(ledger.receive(0, i, 200 + i)).toBe(100);
      ledger.acknowledge();
    }

    expect(ledger.isComplete).toBe(true);
    expect(ledger.totals()).toEqual({
      ...{ sent: 3_000, acknowledged: 3_000, delivered: 3_000 },
      ...{ lost: 0, duplicated: 0, reordered: 0 },
    });
  });

  it("finds a message that never comes", () => {
    const ledger = sentBook(3);
    ledger.receive(0, 0, 0);
    ledger.receive(0, 2, 0);

    expect(ledger.isComplete).toBe(false);
    expect(ledger.totals()).toMatchObject({ delivered: 2, lost: 1, reordered: 0 });
  });

  it("finds a message that comes twice, and does not count it as delivered twice", () => {
    const ledger = sentBook(2);
    for (const number of [0, 1, 0]) ledger.receive(0, number, 0);

    expect(ledger.totals()).toMatchObject({ delivered: 2, duplicated: 1, reordered: 0, lost: 0 });
  });

  it("tells a copy that comes again from one that comes as another message", () => {
    const ledger = sentBook(3_000);
    for (let number = 0; number < 3_000; number++) ledger.receive(0, number, 0, 0xf0000000 + number);
    ledger.receive(0, 7, 0, 0xf0000007);
    ledger.receive(0, 2_999, 0, 1);

    expect(ledger.totals()).toMatchObject({ duplicated: 2 });
    expect(ledger.renamed).toBe(1);
  });

  it("finds messages that come after a later one", () => {
    const ledger = sentBook(4);
    for (const number of [3, 0, 1, 2]) ledger.receive(0, number, 0);

    expect(ledger.totals()).toMatchObject({ delivered: 4, reordered: 3 });
  });

  it("counts a message of a group once, when its last receiver has it", () => {
    const ledger = sentBook(1, 3);
    expect(ledger.receive(0, 0, 110)).toBe(-1);
    expect(ledger.receive(2, 0, 120)).toBe(-1);
    expect(ledger.totals()).toMatchObject({ delivered: 0, lost: 1 });

    expect(ledger.receive(1, 0, 130)).toBe(30);
    expect(ledger.totals()).toMatchObject({ delivered: 1, lost: 0 });
  });

  it("refuses a message that was never sent", () => {
    expect(() => sentBook(1).receive(0, 1, 0)).toThrow("never sent");
  });

  it("adds up", () => {
    const [one, two] = [sentBook(2), sentBook(3)];
    one.receive(0, 0, 0);

    expect(sumTotals([one, two])).toMatchObject({ sent: 5, delivered: 1, lost: 4 });
  });
});
