const offset = 0x811c9dc5;
const prime = 0x01000193;

/** 32 bits of a text (FNV-1a over its UTF-16 units, from `seed`). */
export function hash32(text: string, seed: number = offset): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), prime);
  return hash >>> 0;
}

/** 8 hex digits of some texts, to notice when lists of texts are mixed up. No protection against intent. */
export function shortHash(...texts: readonly string[]): string {
  return hash32(texts.join("\n")).toString(16).padStart(8, "0");
}
