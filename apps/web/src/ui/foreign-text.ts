/** Says whether a text shows nothing: it is empty, or all its characters are invisible. */
export function isBlank(text: string): boolean {
  return /^[\s\p{C}\p{M}\u115f\u1160\u2800\u3164\uffa0]*$/u.test(text);
}

/**
 * The name of somebody, fit for the page's own sentences: one line, without the characters that turn the direction of
 * what stands around them. A name in a script that is written from right to left keeps its direction to itself (Unicode
 * UAX #9, isolates). A name that shows nothing gives the id.
 */
export function shownName(name: string, id: string): string {
  if (isBlank(name)) return id;
  const line = name
    .replace(directionControls, "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  return rightToLeft.test(line) ? `\u2068${line}\u2069` : line;
}

const directionControls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/u;
