import type { JsonText } from "./engine.ts";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;

/** Deepest nesting of objects and arrays in valid JSON text; 1 for a flat object. */
export function jsonDepth(json: JsonText): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === quote) i = endOfString(json, i);
    else if (code === 0x7b || code === 0x5b) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

/**
 * Adds members to the text of a JSON object without changing the present ones. `tail` is `"key":value,…`; its keys must
 * not be in the object already.
 */
export function appendMembers(object: JsonText, tail: string): JsonText {
  return object.length === 2 ? `{${tail}}` : `${object.slice(0, -1)},${tail}}`;
}

/**
 * The text of a valid JSON object without some of its top-level members (every occurrence of a key). The rest stays
 * byte for byte. An object that has no member left is `{}`.
 */
export function cutMembers(object: JsonText, keys: ReadonlySet<string>): JsonText {
  const kept: string[] = [];
  for (const member of topLevelMembers(object)) {
    if (!keys.has(member.key)) kept.push(member.text);
  }
  return `{${kept.join(",")}}`;
}

interface Member {
  readonly key: string;
  readonly text: string;
}

function topLevelMembers(object: JsonText): Member[] {
  const members: Member[] = [];
  const end = object.lastIndexOf("}");
  let start = object.indexOf("{") + 1;
  let key: string | undefined;
  let depth = 0;
  for (let i = start; i <= end; i++) {
    const code = object.charCodeAt(i);
    if (code === quote) i = endOfString(object, i);
    else if (depth === 0 && code === colon && key === undefined)
      key = JSON.parse(object.slice(start, i)) as string;
    else if (depth === 0 && (code === comma || i === end)) {
      if (key !== undefined) members.push({ key, text: object.slice(start, i).trim() });
      key = undefined;
      start = i + 1;
    } else if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return members;
}

function endOfString(json: JsonText, open: number): number {
  let i = open + 1;
  while (json.charCodeAt(i) !== quote) i += json.charCodeAt(i) === backslash ? 2 : 1;
  return i;
}
