import { beginningOf } from "../short-text.ts";

/** Most characters of a name that the server's own sentences repeat. */
export const quotedNameCharacters = 100;

/**
 * A name as the server's own sentences repeat it: people believe what `system` writes, so a name adds no second line, no
 * long text and no link to it. Ordinary names stay as they are. A name of nothing but control characters gives `""`.
 */
export function quotedName(name: string): string {
  const line = name
    .replace(unseen, " ")
    .replace(/:\/\//g, ": ")
    // `evil.example` would be a link in many clients; `J.R.R. Tolkien` is none.
    .replace(/(?<=[\p{L}\p{N}-]{2})\.(?=\p{L}{2})/gu, ". ")
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= quotedNameCharacters ? line : `${beginningOf(line, quotedNameCharacters - 1)}…`;
}

/** Control characters, line ends, and the controls of writing direction. */
const unseen = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
