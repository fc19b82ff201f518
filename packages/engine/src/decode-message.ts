import {
  acceptedMessageSchema,
  byteLength,
  ChatError,
  compileSchema,
  isId,
  limits,
  readUserId,
  serverKeys,
  validate,
} from "@chat21/protocol";
import type { JsonText } from "./engine.ts";
import { cutMembers, jsonDepth } from "./json-text.ts";

/** A received message, checked, and without the keys that only the server may write. */
export interface DecodedMessage {
  /** Exact JSON text of the sender's keys. */
  readonly body: JsonText;
  readonly clientMessageId: string | null;
  /** The sender's own clock, milliseconds; `null` when absent. */
  readonly timestamp: number | null;
  /** The sender says so; the id of the recipient may say it, too. */
  readonly isForGroup: boolean;
  /** Members of an inline group; `null` when there is none. */
  readonly inlineMembers: readonly string[] | null;
  readonly tempUid: string | null;
  readonly hiddenFor: string | null;
  readonly listed: boolean;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** Every message is checked, so its check is compiled. */
const messageSchema = compileSchema(acceptedMessageSchema);
const ownedByServer: ReadonlySet<string> = new Set(serverKeys);
/** A `device` that is no id is not ours: it passes like any other key. */
const withoutDevice: ReadonlySet<string> = new Set(serverKeys.filter((key) => key !== "device"));

/** P1 as it was accepted. */
type AcceptedMessage = ReturnType<typeof validate<typeof messageSchema>>;

/** Text of a payload. Throws `payload_too_large`, or `bad_request` for bytes that are not UTF-8. */
export function decodePayload(payload: Uint8Array): string {
  if (payload.length > limits.payloadBytes) throw tooLarge();
  try {
    return utf8.decode(payload);
  } catch (cause) {
    throw new ChatError("bad_request", "the payload is not UTF-8", { cause });
  }
}

/** Parses a JSON object within the limits of size and depth. Throws `bad_request` or `payload_too_large`. */
export function parseJsonObject(text: JsonText): Record<string, unknown> {
  // A string of n code units has at most 3n bytes; only a long one is worth counting.
  if (text.length * 3 > limits.payloadBytes && byteLength(text) > limits.payloadBytes) throw tooLarge();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ChatError("bad_request", "the payload is not JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ChatError("bad_request", "the payload is not a JSON object");
  }
  if (jsonDepth(text) > limits.payloadDepth) {
    throw new ChatError("bad_request", `the payload is nested deeper than ${limits.payloadDepth} levels`);
  }
  return value as Record<string, unknown>;
}

/**
 * Decodes P1 (or the same object over REST). Throws `bad_request` or `payload_too_large`. `object` is the result of
 * {@link parseJsonObject} where the text was parsed already.
 */
export function decodeMessage(json: JsonText, object = parseJsonObject(json)): DecodedMessage {
  return extract(json, object, validate(messageSchema, object));
}

function extract(json: JsonText, object: Record<string, unknown>, message: AcceptedMessage): DecodedMessage {
  const attributes = recordOf(message.attributes);
  const tempUid = attributes["tempUID"];
  const hiddenFor = attributes["hiddenFor"];
  return {
    body: ownText(json, object),
    clientMessageId: message.client_message_id ?? null,
    timestamp: timeOf(message.timestamp) || null,
    isForGroup: message.channel_type === "group",
    inlineMembers: message.group ? Object.keys(message.group.members).map(idOf) : null,
    tempUid:
      typeof tempUid === "string" && tempUid !== "" && tempUid.length <= limits.idBytes ? tempUid : null,
    hiddenFor: typeof hiddenFor === "string" && hiddenFor !== "" ? idOf(hiddenFor) : null,
    listed: attributes["updateconversation"] !== false,
  };
}

/** A user's id as the sender named it, on the wire. What is no id stays, and is refused where that matters. */
function idOf(named: string): string {
  return readUserId(named) ?? named;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Milliseconds; `NaN` for what is no time. */
function timeOf(given: unknown): number {
  if (typeof given === "number") return Number.isFinite(given) ? given : Number.NaN;
  if (typeof given !== "string") return Number.NaN;
  return /^\d+$/.test(given) ? Number(given) : Date.parse(given);
}

function ownText(json: JsonText, object: Record<string, unknown>): JsonText {
  const owned = isId(object["device"]) ? ownedByServer : withoutDevice;
  for (const key of owned) {
    if (Object.hasOwn(object, key)) return cutMembers(json, owned);
  }
  const text = json.trim();
  // `{ }` becomes `{}`, so that members can be appended by position.
  return Object.keys(object).length === 0 ? "{}" : text;
}

/** The refusal of a payload that is larger than the wire allows. */
export function tooLarge(): ChatError {
  return new ChatError("payload_too_large", `the payload is larger than ${limits.payloadBytes} bytes`);
}
