/** A target, and what came of it. */
export interface Judgement {
  readonly what: string;
  readonly target: string;
  readonly got: string;
  readonly met: boolean;
}

/** Holds a figure against the most that it may be. Where there is no figure, the target is not met. */
export function atMost(what: string, limit: number, unit: string, digits: number, got: number): Judgement {
  const show = (text: string) => (unit === "" ? text : `${text} ${unit}`);
  const target = `at most ${show(limit.toLocaleString("en-US"))}`;
  return { what, target, got: show(got.toFixed(digits)), met: got <= limit };
}

/** Holds a ratio against the least that it may be. Where there is no figure, the target is not met. */
export function atLeast(what: string, limit: number, got: number): Judgement {
  return { what, target: `at least ${limit}`, got: got.toFixed(2), met: got >= limit };
}
