import { describe, expect, it } from "vitest";
import { judgeReading, readingTable } from "../src/report/reading.ts";
import type { ReadingResult } from "../src/scenarios/reading.ts";
import { type ReadingHead, toFigure } from "../src/scenarios/reading-figure.ts";

const usual = { api: "v1", form: "compressed", when: "warm", conversations: 10_000 } as const;

function figure(
  head: Partial<ReadingHead> & Pick<ReadingHead, "part">,
  ms: number,
  bytes = 190,
  missing = 0,
) {
  return toFigure({ ...usual, ...head }, [{ ms, bytes, pages: 1, missing }]);
}

function judged(target: ReadingResult["target"], ...figures: ReadingResult["figures"]) {
  return judgeReading({ target, filledInSeconds: 1, figures }).map(({ what, got, met }) => [what, got, met]);
}

describe("a figure of reading", () => {
  it("has percentiles of the times, and medians of the rest", () => {
    const samples = Array.from({ length: 20 }, (_, i) => ({
      ms: 20 - i,
      bytes: i,
      pages: 1,
      missing: i % 2,
    }));

    expect(toFigure({ ...usual, part: "sync-same" }, samples)).toMatchObject({
      ...{ measured: 20, p50Ms: 10, p95Ms: 19, bytes: 10, pages: 1, missing: 10 },
      ...{ changed: 0, readers: 1, peakGrowthMiB: null },
    });
  });
});

describe("judging reading", () => {
  it("holds times and bytes of the one process against its targets", () => {
    const changed = figure({ part: "sync-changed", changed: 500 }, 41, 90_000);

    expect(judged("chat21", figure({ part: "sync-same" }, 3, 201), changed)).toEqual([
      ["sync of 10,000, nothing changed: p95", "3.00 ms", true],
      ["sync of 10,000, nothing changed: answer", "201 bytes", false],
      ["sync of 10,000, 500 changed: p95", "41.00 ms", false],
      ["conversations missing in answers, all reading", "0", true],
    ]);
  });

  it("gives the cluster more time", () => {
    expect(judged("cluster", figure({ part: "sync-changed", changed: 500 }, 199))[0]).toEqual([
      "sync of 10,000, 500 changed: p95",
      "199.00 ms",
      true,
    ]);
  });

  it("judges neither plain answers nor first calls", () => {
    const plain = figure({ part: "list-first-page", form: "plain" }, 99);
    const first = figure({ part: "list-first-page", when: "first call" }, 99);

    expect(judged("chat21", plain, first)).toHaveLength(1);
  });

  it("takes memory that nobody watched for too much", () => {
    const watched = figure({ part: "list-heavy", readers: 8, peakGrowthMiB: 99.5, peakBy: "kernel" }, 1);

    expect(
      judged("chat21", watched, figure({ part: "list-heavy", readers: 8 }, 1)).map(([, , met]) => met),
    ).toEqual([true, false, true]);
  });

  it("counts what is missing in any answer, also of what has no target", () => {
    const first = figure({ part: "sync-first", when: "first call" }, 900, 1, 2);

    expect(judged("cluster", first)).toEqual([["conversations missing in answers, all reading", "2", false]]);
  });

  it("names every figure in the table", () => {
    const figures = [
      figure(
        { part: "list-heavy", api: "old", conversations: 1_000, readers: 8, peakGrowthMiB: 64 },
        700,
        9_000,
      ),
      figure({ part: "sync-changed", form: "plain", changed: 500 }, 12.5, 90_000),
    ];
    const text = readingTable({ target: "chat21", filledInSeconds: 1, figures });

    expect(text).toContain(
      "| 8 lists of 1,000 × 60 KiB at once | old | compressed | warm | 700.00 | 700.00 | 9,000 | 1 | 64.0 | 1 |",
    );
    expect(text).toContain(
      "| sync of 10,000, 500 changed | v1 | plain | warm | 12.50 | 12.50 | 90,000 | 1 |  | 1 |",
    );
  });
});
