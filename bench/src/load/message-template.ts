import { randomBytes } from "node:crypto";
import { encodePublish } from "./packets.ts";

/** Names the run in every id of a user or message, so that messages of an earlier run are not counted. */
export const runId = `b${randomBytes(3).toString("hex")}`;

const streamDigits = 5;
const numberDigits = 9;
/** With its opening quotation mark, so that it does not match `client_message_id`. */
const messageIdKey = '"message_id":"';
const prefix = Buffer.from(`msg-${runId}-`);

/** A message as our SDK sends it, encoded once; every message is a copy with its own number. */
export interface MessageTemplate {
  readonly packet: Buffer;
  readonly packetIdAt: number;
  readonly numberAt: number;
}

/**
 * The kind of sender: `sdk` gives its messages ids; `old` is an existing client that does not, and has the number in
 * its `tempUID`.
 */
export type ClientKind = "old" | "sdk";

/** Makes the template of a stream of messages (`stream` 0-99,999). */
export function createTemplate(options: {
  readonly topic: string;
  readonly stream: number;
  readonly sender: string;
  readonly recipient: string;
  readonly channelType: "direct" | "group";
  readonly client: ClientKind;
}): MessageTemplate {
  const head = `${prefix}${String(options.stream).padStart(streamDigits, "0")}-`;
  const id = head + "0".repeat(numberDigits);
  const body = {
    text: "The quick brown fox jumps over the lazy dog, and then once more.",
    type: "text",
    recipient_fullname: options.recipient,
    sender_fullname: options.sender,
    attributes: { lang: "en", ...(options.client === "old" ? { tempUID: id } : {}) },
    metadata: "",
    channel_type: options.channelType,
    ...(options.client === "sdk" ? { client_message_id: id } : {}),
  };
  const { packet, packetIdAt } = encodePublish(options.topic, Buffer.from(JSON.stringify(body)));
  return { packet, packetIdAt, numberAt: packet.indexOf(head) + head.length };
}

/** Writes identifier and number into a copy of the template's packet that begins at `at`. */
export function numberCopy(buffer: Buffer, at: number, template: MessageTemplate, number: number): void {
  const packetId = (number % 65_535) + 1;
  buffer[at + template.packetIdAt] = packetId >>> 8;
  buffer[at + template.packetIdAt + 1] = packetId & 0xff;
  let left = number;
  for (let digit = at + template.numberAt + numberDigits - 1; left > 0; digit--) {
    buffer[digit] = 0x30 + (left % 10);
    left = Math.floor(left / 10);
  }
}

/** Where in `[start, end)` the id of a message of this run begins, behind the run's name; -1 when there is none. */
export function findId(buffer: Buffer, start: number, end: number): number {
  const at = buffer.indexOf(prefix, start);
  return at < 0 || at >= end ? -1 : at + prefix.length;
}

/** Stream of the id at `at`, from {@link findId}. */
export function streamOf(buffer: Buffer, at: number): number {
  return readDigits(buffer, at, streamDigits);
}

/** Number of the id at `at`, from {@link findId}. */
export function numberOf(buffer: Buffer, at: number): number {
  return readDigits(buffer, at + streamDigits + 1, numberDigits);
}

/**
 * A hash of the `message_id` in `[start, end)`; 0 when there is none. The server gives this id to a message, and
 * clients recognise the message by it.
 */
export function messageIdentity(buffer: Buffer, start: number, end: number): number {
  let at = buffer.indexOf(messageIdKey, start);
  if (at < 0 || at >= end) return 0;
  let hash = 0x811c9dc5;
  for (at += messageIdKey.length; at < end && buffer[at] !== 0x22; at++) {
    hash = Math.imul(hash ^ (buffer[at] as number), 0x01000193);
  }
  return hash >>> 0;
}

function readDigits(buffer: Buffer, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = value * 10 + (buffer[i] as number) - 0x30;
  return value;
}
