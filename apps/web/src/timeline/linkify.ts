/**
 * Splits text into plain parts and links. Joined, the parts give the text. Only http, https and mailto become links, and
 * only the first {@link maxLinks}. The time grows with the length of the text, whatever it holds.
 */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  let links = 0;
  for (const match of text.matchAll(candidate)) {
    const found = trimLink(match[0]);
    const href = safeHref(found);
    if (href === undefined) continue;
    if (links === maxLinks) break;
    links += 1;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: found, href });
    end = match.index + found.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** A part of a message's text: plain text, or a link with a safe `href`. */
export type TextPart = { readonly text: string; readonly href?: string };

const candidate = /\b(?:https?:\/\/|mailto:|www\.)[^\s<>"]+/giu;
const trailing = new Set(".,;:!?'*_~]}");
/** A text of 60 KiB could hold ten thousand, and a page with so many elements stands still. */
const maxLinks = 200;
const schemes = new Set(["http:", "https:", "mailto:"]);

/** Removes the end of a link that belongs to the sentence: punctuation, or a bracket opened before the link. */
function trimLink(found: string): string {
  let foreignBrackets = count(found, ")") - count(found, "(");
  let end = found.length;
  for (; end > 0; end -= 1) {
    const last = found.charAt(end - 1);
    if (last === ")" && foreignBrackets > 0) foreignBrackets -= 1;
    else if (!trailing.has(last)) break;
  }
  return found.slice(0, end);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function safeHref(link: string): string | undefined {
  let url: URL;
  try {
    url = new URL(/^www\./iu.test(link) ? `https://${link}` : link);
  } catch {
    return undefined;
  }
  const { href, hostname, protocol } = url;
  return schemes.has(protocol) && (hostname !== "" || protocol === "mailto:") ? href : undefined;
}
