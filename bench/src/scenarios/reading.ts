import type { ReadingShape } from "../load/reading-history.ts";
import type { ReadingSource } from "../targets/reading-source.ts";
import { readFirstPage, readLongLists } from "./list-reading.ts";
import type { ReadingFigure } from "./reading-figure.ts";
import { readChanged, readSame } from "./sync-reading.ts";

/** What reading costs. */
export interface ReadingResult {
  readonly target: ReadingSource["target"];
  readonly filledInSeconds: number;
  readonly figures: readonly ReadingFigure[];
}

/** How much is read, and how often. */
export interface ReadingOptions {
  readonly reading: ReadingShape;
  /** Syncs with changes, of each form of answers. Other parts are measured in proportion. */
  readonly rounds: number;
}

/**
 * Fills a store, reads it over REST part by part, and removes it. Each part starts its server anew. Prints every figure.
 */
export async function runReading(
  fill: () => Promise<ReadingSource>,
  { reading, rounds }: ReadingOptions,
  print: (line: object) => void,
): Promise<ReadingResult> {
  const source = await fill();
  const { target, filledInSeconds } = source;
  const figures: ReadingFigure[] = [];
  try {
    // What changes comes last: the others read what was filled in.
    for (const readPart of [readSame, readFirstPage, readLongLists, readChanged]) {
      for (const figure of await readPart(source, reading, rounds)) {
        print({ scenario: "reading", target, filledInSeconds, ...figure });
        figures.push(figure);
      }
    }
  } finally {
    await source.close();
  }
  return { target, filledInSeconds, figures };
}

/** Whether every answer held what it should. */
export function isWhole({ figures }: ReadingResult): boolean {
  return figures.every(({ missing }) => missing === 0);
}
