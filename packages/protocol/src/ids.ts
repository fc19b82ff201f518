import { clientLimits, limits } from "./limits.ts";

/** The alphabet of ids. `__proto__` is not a plain key of an object: `{}["__proto__"] = 1` adds nothing. */
export const idPattern = /^(?!\$|__proto__$)[A-Za-z0-9_\-@:=~!,;()$&']+$/;

const utf8 = new TextEncoder();

/** Length of `text` in bytes of UTF-8. */
export function byteLength(text: string): number {
  return utf8.encode(text).length;
}

/**
 * Whether `value` may be a device, message or app id: 1-64 bytes of `A-Z a-z 0-9 _ - @ : = ~ ! , ; ( ) $ & '`, not
 * starting with `$` and not `__proto__`. The alphabet leaves out the characters with a meaning in MQTT, AMQP and
 * RabbitMQ's scopes (`/ + # . * %`), so that an id is one segment everywhere. Users' ids are longer, and may have
 * escapes: see `isUserId`.
 */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value.length <= clientLimits.idBytes && idPattern.test(value);
}

/** Whether `value` may be a group id: the alphabet of {@link isId}, 1-128 bytes. */
export function isGroupId(value: unknown): value is string {
  return typeof value === "string" && value.length <= clientLimits.groupIdBytes && idPattern.test(value);
}

/** Whether a value may be an MQTT client id: any text of 1-256 bytes without U+0000. It needs no alphabet. */
export function isClientId(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value !== "" &&
    !value.includes("\0") &&
    byteLength(value) <= limits.clientIdBytes
  );
}

/**
 * Whether an id has the form of a group's id: it contains `group-` anywhere (`group-…`, `support-group-…`). Existing
 * clients decide by the same test.
 */
export function looksLikeGroupId(id: string): boolean {
  return id.includes("group-");
}

/** The sender of info messages. No user has this id: no token is issued for it. */
export const systemUser = "system";

/** The app id that existing clients have built in. */
export const defaultApp = "tilechat";

/**
 * The id of a stored one-to-one conversation: `<smaller>.<larger>` in code unit order. `.` cannot occur in an id, so it
 * never collides with a group's id. `A.A` is a user's notes to self.
 */
export function directConversationId(a: string, b: string): string {
  return a <= b ? `${a}.${b}` : `${b}.${a}`;
}

/** The two members of a direct conversation's id, or `null` for a group's id. */
export function directMembers(conversation: string): readonly [string, string] | null {
  const dot = conversation.indexOf(".");
  return dot < 0 ? null : [conversation.slice(0, dot), conversation.slice(dot + 1)];
}

/** The stored id of the conversation between `user` and `conversWith` (a user's or a group's id). */
export function conversationIdOf(
  user: string,
  conversWith: string,
  group = looksLikeGroupId(conversWith),
): string {
  return group ? conversWith : directConversationId(user, conversWith);
}

/** The name that `user` has for a stored conversation on the wire: the counterpart's id, or the group's. */
export function conversWithOf(conversation: string, user: string): string {
  const pair = directMembers(conversation);
  if (pair === null) return conversation;
  return pair[0] === user ? pair[1] : pair[0];
}
