/**
 * Splits text into plain parts and links. Joined, the parts give the text. Only http, https and mailto become links.
 */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(candidate)) {
    const found = trimLink(match[0]);
    const href = safeHref(found);
    if (href === undefined) continue;
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
const trailing = /[.,;:!?'*_~\]}]+$/u;
const schemes = new Set(["http:", "https:", "mailto:"]);

/** Removes the end of a link that belongs to the sentence: punctuation, or a bracket opened before the link. */
function trimLink(found: string): string {
  let link = found.replace(trailing, "");
  while (link.endsWith(")") && count(link, ")") > count(link, "("))
    link = link.slice(0, -1).replace(trailing, "");
  return link;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function safeHref(link: string): string | undefined {
  const url = URL.parse(/^www\./iu.test(link) ? `https://${link}` : link);
  return url !== null && schemes.has(url.protocol) && (url.hostname !== "" || url.protocol === "mailto:")
    ? url.href
    : undefined;
}
