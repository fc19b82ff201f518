/** A target, and the measured result. */
export interface Judgement {
  readonly what: string;
  readonly target: string;
  readonly got: string;
  readonly met: boolean;
}

/** Compares a figure with its upper limit. Where there is no figure, the target is not met. */
export function atMost(what: string, limit: number, unit: string, digits: number, got: number): Judgement {
  const show = (text: string) => (unit === "" ? text : `${text} ${unit}`);
  const target = `at most ${show(limit.toLocaleString("en-US"))}`;
  return { what, target, got: show(got.toFixed(digits)), met: got <= limit };
}

/** Compares a ratio with its lower limit. Where there is no figure, the target is not met. */
export function atLeast(what: string, limit: number, got: number): Judgement {
  return { what, target: `at least ${limit}`, got: got.toFixed(2), met: got >= limit };
}
