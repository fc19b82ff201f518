import type { ReadingResult } from "../scenarios/reading.ts";
import type { ReadingFigure } from "../scenarios/reading-figure.ts";
import { atMost, type Judgement } from "./judgement.ts";
import { table } from "./markdown.ts";

/** Longest time of reading, p95, milliseconds. `null`: no target. */
const timeLimitsMs = {
  chat21: { "sync-same": 3, "sync-changed": 40, "list-first-page": 5 },
  cluster: { "sync-same": null, "sync-changed": 200, "list-first-page": null },
} as const;
const sameBytes = 200;
const peakGrowthMiB = 100;

/** Compares the cost of reading on a warm server with the targets, with answers in the form that a browser asks for. */
export function judgeReading(result: ReadingResult): Judgement[] {
  const judged = result.figures.filter(({ form, when }) => form === "compressed" && when === "warm");
  return [...judged.flatMap((figure) => judgeFigure(figure, result.target)), nothingMissing(result)];
}

/** One line a figure. */
export function readingTable({ figures }: ReadingResult): string {
  const rows = figures.map((figure) => [
    nameOf(figure),
    figure.api,
    figure.form,
    figure.when,
    figure.p50Ms.toFixed(2),
    figure.p95Ms.toFixed(2),
    figure.bytes.toLocaleString("en-US"),
    String(figure.pages),
    figure.peakGrowthMiB === null ? "" : figure.peakGrowthMiB.toFixed(1),
    String(figure.measured),
  ]);
  const heads = ["reading", "paths", "answers", "server", "p50 ms", "p95 ms", "bytes", "pages"];
  return table([...heads, "peak memory, + MiB", "measured"], rows);
}

/** The name of a part in the tables. */
function nameOf({ part, conversations, changed, readers }: ReadingFigure): string {
  const count = conversations.toLocaleString("en-US");
  switch (part) {
    case "sync-first":
      return `first sync of ${count}`;
    case "sync-same":
      return `sync of ${count}, nothing changed`;
    case "sync-changed":
      return `sync of ${count}, ${changed.toLocaleString("en-US")} changed`;
    case "list-first-page":
      return `first page of ${count}`;
    case "list-heavy":
      return `${readers} lists of ${count} × 60 KiB at once`;
  }
}

function judgeFigure(figure: ReadingFigure, target: ReadingResult["target"]): Judgement[] {
  const { part, api, p95Ms, bytes, peakGrowthMiB: growthMiB } = figure;
  const name = part.startsWith("list-") ? `${nameOf(figure)} (${api})` : nameOf(figure);
  const within = (limitMs: number | null) =>
    limitMs === null ? [] : [atMost(`${name}: p95`, limitMs, "ms", 2, p95Ms)];
  switch (part) {
    case "sync-first":
      return [];
    case "sync-same":
      return [...within(timeLimitsMs[target][part]), atMost(`${name}: answer`, sameBytes, "bytes", 0, bytes)];
    case "sync-changed":
    case "list-first-page":
      return within(timeLimitsMs[target][part]);
    case "list-heavy":
      return [
        atMost(
          `${name}: peak memory above before`,
          peakGrowthMiB,
          "MiB",
          1,
          growthMiB ?? Number.POSITIVE_INFINITY,
        ),
      ];
  }
}

function nothingMissing({ figures }: ReadingResult): Judgement {
  const missing = figures.reduce((sum, figure) => sum + figure.missing, 0);
  return {
    what: "conversations missing in answers, all reading",
    target: "0",
    got: String(missing),
    met: missing === 0,
  };
}
