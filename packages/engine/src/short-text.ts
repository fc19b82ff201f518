import { appendMembers, cutMembers } from "./json-text.ts";

const textKey: ReadonlySet<string> = new Set(["text"]);

/** The first characters of a text; never half of one. */
export function beginningOf(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const cut = text.slice(0, characters);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** The body of a message with another text. Everything else stays as it is written. */
export function withText(body: string, text: string): string {
  return appendMembers(cutMembers(body, textKey), `"text":${JSON.stringify(text)}`);
}

/** The body of a message with at most so many characters of its text. Other bodies stay as they are. */
export function withShortText(body: string, characters: number): string {
  const { text } = JSON.parse(body) as { readonly text?: unknown };
  if (typeof text !== "string" || text.length <= characters) return body;
  return withText(body, beginningOf(text, characters));
}
