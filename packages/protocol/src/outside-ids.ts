import { toOutsideId } from "./user-id.ts";

/** Fields of the wire that hold a user's id, a list of them, or an object whose keys they are. */
const idFields: ReadonlySet<string> = new Set([
  ...[
    "by",
    "conversWith",
    "convers_with",
    "createdBy",
    "creator",
    "delivered_to",
    "id",
    "key",
    "member",
    "member_id",
  ],
  ...["members", "owner", "recipient", "recipient_id", "sender", "timelineOf", "user", "user_id", "users"],
]);

/** Contents of a message that its sender chose. They are passed on as they came, but for the label of a system line. */
const opaque: ReadonlySet<string> = new Set(["metadata", "text"]);

/**
 * A value of the wire (a message, a conversation, a group, an answer or an event) with users' ids in their form outside:
 * see {@link toOutsideId}. It may be applied twice.
 */
export function outsideIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(outsideIds);
  if (typeof value !== "object" || value === null) return value;
  return mapped(value, ([key, part]) => [key, outsidePart(key, part)]);
}

/** {@link outsideIds} of a JSON text. A text without an escape is not parsed. */
export function outsideJson(json: string): string {
  return /\^[0-9A-F]{2}/.test(json) ? JSON.stringify(outsideIds(JSON.parse(json))) : json;
}

function outsidePart(key: string, part: unknown): unknown {
  if (opaque.has(key)) return part;
  if (key === "attributes") return outsideAttributes(part);
  return idFields.has(key) ? idsIn(part) : outsideIds(part);
}

function outsideAttributes(part: unknown): unknown {
  if (typeof part !== "object" || part === null || !("messagelabel" in part)) return part;
  return { ...part, messagelabel: outsideIds(part.messagelabel) };
}

function idsIn(part: unknown): unknown {
  if (typeof part === "string") return toOutsideId(part);
  if (Array.isArray(part)) return part.map(idsIn);
  if (typeof part !== "object" || part === null) return part;
  return mapped(part, ([key, value]) => [toOutsideId(key), outsidePart(key, value)]);
}

function mapped(value: object, change: (entry: [string, unknown]) => [string, unknown]): object {
  return Object.fromEntries(Object.entries(value).map(change));
}
