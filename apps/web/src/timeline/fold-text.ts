/** The beginning of a long text: at most 3,000 characters and 40 lines, and never half of a character. */
export function foldText(text: string): string {
  let end = Math.min(text.length, maxCharacters);
  for (let at = -1, lines = 1; ; lines += 1) {
    at = text.indexOf("\n", at + 1);
    if (at < 0 || at >= end) break;
    if (lines === maxLines) end = at;
  }
  // A little more than that is shown whole: a button would take as much room.
  if (text.length - end < maxRest && !text.slice(end).includes("\n")) return text;
  return text.slice(0, /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end);
}

const maxCharacters = 3_000;
const maxLines = 40;
const maxRest = 200;
