import type { ReadingShape } from "../load/reading-history.ts";
import type { ReadingSource } from "../targets/reading-source.ts";
import { readFirstPage, readLongLists } from "./list-reading.ts";
import type { ReadingFigure } from "./reading-figure.ts";
import { readChanged, readSame } from "./sync-reading.ts";

/** The cost of reading. */
export interface ReadingResult {
  readonly target: ReadingSource["target"];
  readonly filledInSeconds: number;
  readonly figures: readonly ReadingFigure[];
}

/** Amount of reading, and number of rounds. */
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
    // The part with changes comes last: the others read the store as it was filled.
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
