import { idPattern, isGroupId, looksLikeGroupId } from "./ids.ts";
import { clientLimits } from "./limits.ts";

/** One byte of UTF-8 behind the escape character, which no id had before there were escapes. */
const wirePattern = /^(?:[A-Za-z0-9_\-@:=~!,;()$&']|\^[0-9A-F]{2})+$/;

/** What cannot stand in a topic, a routing key or a scope as it is, and what {@link idPattern} refuses in the first place. */
const foreign = /^\$|^_(?=_proto__$)|[^A-Za-z0-9_\-@:=~!,;()$&']+/g;

/**
 * The form on the wire of a user's id outside: bytes outside the alphabet of {@link isId} become `^` and two upper-case
 * hex digits, all others stay (ADR-0016). `auth0|5f7c` is `auth0^7C5f7c`. `null` for an id that is refused: empty, over
 * `limits.userIdBytes` in this form, with half a surrogate pair, or ambiguous. Ambiguous are an id that is the wire form
 * of another id, one that needs escapes and looks like a group's, and `.` and `..`, which are steps in a URL's path. So
 * two ids never have one form.
 */
export function toWireId(id: string): string | null {
  const wire = escaped(id);
  return isUserId(wire) && !isEscaped(id) ? wire : null;
}

/**
 * The id outside of a user's id on the wire; the inverse of {@link toWireId}. Any other text stays as it is, an id
 * outside included, so that it may be applied twice.
 */
export function toOutsideId(id: string): string {
  return isEscaped(id) ? unescaped(id) : id;
}

/**
 * The form on the wire of an id in either form; `null` for what is neither. For requests, where an id may come from the
 * caller's own records or from a message. Not for tokens: there, whoever may choose a name could choose another's.
 */
export function readUserId(id: string): string | null {
  return isUserId(id) ? id : toWireId(id);
}

/** {@link toWireId} for a user's or a group's id. Groups have no escapes. */
export function toWireConversWith(id: string): string | null {
  return isGroupId(id) ? id : toWireId(id);
}

/** {@link readUserId} for a user's or a group's id. Groups have no escapes. */
export function readConversWith(id: string): string | null {
  return isGroupId(id) ? id : readUserId(id);
}

/**
 * Whether `value` is a user's id on the wire: 1-128 bytes of the alphabet of {@link isId} and of escapes, each of them
 * needed. It is one segment of a topic, of a routing key and of a scope.
 */
export function isUserId(value: unknown): value is string {
  if (typeof value !== "string" || value.length > clientLimits.userIdBytes) return false;
  return idPattern.test(value) || (isEscaped(value) && !looksLikeGroupId(value));
}

/** Whether `value` is a user's or a group's id on the wire. */
export function isConversWith(value: unknown): value is string {
  return isGroupId(value) || isUserId(value);
}

function isEscaped(id: string): boolean {
  return id.includes("^") && wirePattern.test(id) && escaped(unescaped(id)) === id;
}

function escaped(id: string): string | null {
  if (idPattern.test(id)) return id;
  if (id === "." || id === "..") return null;
  try {
    return id.replace(foreign, (text) =>
      // The first step leaves these three, and throws for half a surrogate pair.
      encodeURIComponent(text)
        .replace(/[.*_]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
        .replaceAll("%", "^"),
    );
  } catch {
    return null;
  }
}

/** The text itself when its bytes are no UTF-8. */
function unescaped(id: string): string {
  try {
    return decodeURIComponent(id.replaceAll("^", "%"));
  } catch {
    return id;
  }
}
