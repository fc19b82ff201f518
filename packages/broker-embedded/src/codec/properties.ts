import { isUtf8 } from "node:buffer";
import { encodeVariableInteger } from "./encode-packet.ts";
import { malformed, protocolError } from "./protocol-violation.ts";
import { reasons } from "./reason-codes.ts";

/** Property identifiers of MQTT 5 (its section 2.2.2.2). */
export const propertyIds = {
  payloadFormat: 1,
  messageExpiry: 2,
  contentType: 3,
  responseTopic: 8,
  correlationData: 9,
  subscriptionId: 11,
  sessionExpiry: 17,
  assignedClientId: 18,
  serverKeepAlive: 19,
  authMethod: 21,
  authData: 22,
  requestProblemInfo: 23,
  willDelay: 24,
  requestResponseInfo: 25,
  reasonString: 31,
  receiveMaximum: 33,
  topicAliasMaximum: 34,
  topicAlias: 35,
  retainAvailable: 37,
  userProperty: 38,
  maximumPacketSize: 39,
  subscriptionIdsAvailable: 41,
  sharedSubscriptionsAvailable: 42,
} as const;

type PropertyName = keyof typeof propertyIds;

/** The properties that a client may put into each packet, by identifier. Any other one is malformed. */
const allowed = {
  connect: [17, 21, 22, 23, 25, 33, 34, 38, 39],
  will: [1, 2, 3, 8, 9, 24, 38],
  publish: [1, 2, 3, 8, 9, 35, 38],
  acknowledgement: [31, 38],
  subscribe: [11, 38],
  unsubscribe: [38],
  disconnect: [17, 31, 38],
  auth: [21, 22, 31, 38],
} as const satisfies Record<string, readonly number[]>;

/** The kind of a property list. */
export type PropertyList = keyof typeof allowed;

/** The properties of a packet that have a meaning here. User properties are checked and not kept. */
export interface ReceivedProperties {
  /** Seconds. */
  sessionExpiry?: number;
  authMethod?: string;
  authData?: Buffer;
  requestProblemInfo?: number;
  receiveMaximum?: number;
  maximumPacketSize?: number;
  topicAlias?: number;
  subscriptionId?: number;
}

/**
 * Reads the property list at `at` of a packet that ends at `end`. Throws `ProtocolViolation` when it is malformed, when a
 * property comes twice or is out of range, and for more than `maxUserProperties`.
 */
export function readProperties(
  buffer: Buffer,
  at: number,
  end: number,
  list: PropertyList,
  maxUserProperties: number,
): { readonly values: ReceivedProperties; readonly next: number } {
  const reader = new FieldReader(buffer, at, end);
  const length = reader.variableInteger();
  const next = reader.at + length;
  if (next > end) throw malformed("the properties are longer than their packet");
  const fields = new FieldReader(buffer, reader.at, next);
  const values: Record<string, unknown> = {};
  const ids: readonly number[] = allowed[list];
  let userProperties = 0;
  while (fields.at < next) {
    const id = fields.byte();
    if (!ids.includes(id)) throw malformed(`property ${id} is not allowed here`);
    if (id === propertyIds.userProperty) {
      fields.text();
      fields.text();
      userProperties++;
      if (userProperties > maxUserProperties)
        throw protocolError("a packet has too many user properties", reasons.quotaExceeded);
      continue;
    }
    const name = names.get(id) as PropertyName;
    if (name in values) throw protocolError(`property ${id} comes twice`);
    values[name] = readValue(fields, name);
  }
  return { values, next };
}

function readValue(fields: FieldReader, name: PropertyName): number | string | Buffer {
  switch (name) {
    case "payloadFormat":
    case "requestProblemInfo":
    case "requestResponseInfo": {
      const flag = fields.byte();
      if (flag > 1) throw protocolError(`${name} is neither 0 nor 1`);
      return flag;
    }
    case "receiveMaximum":
      return notZero(fields.uint16(), name);
    case "topicAlias":
    case "topicAliasMaximum":
      return fields.uint16();
    case "maximumPacketSize":
      return notZero(fields.uint32(), name);
    case "messageExpiry":
    case "sessionExpiry":
    case "willDelay":
      return fields.uint32();
    case "subscriptionId":
      return notZero(fields.variableInteger(), name);
    case "authData":
    case "correlationData":
      return fields.binary();
    case "responseTopic": {
      const topic = fields.text();
      // [MQTT5-3.3.2-14]
      if (/[+#]/.test(topic)) throw protocolError("a response topic holds a wildcard");
      return topic;
    }
    default:
      return fields.text();
  }
}

function notZero(value: number, name: string): number {
  if (value === 0) throw protocolError(`${name} is 0`);
  return value;
}

const names = new Map(Object.entries(propertyIds).map(([name, id]) => [id as number, name as PropertyName]));

/** Reads the data types of MQTT 5 one after the other. Throws `ProtocolViolation` where they end too early. */
class FieldReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  at: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.#buffer = buffer;
    this.at = at;
    this.#end = end;
  }

  byte(): number {
    return this.#buffer[this.#step(1)] as number;
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.#step(2));
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#step(4));
  }

  /** [MQTT5-1.5.5-1] */
  variableInteger(): number {
    let value = 0;
    for (let factor = 1; factor <= 2_097_152; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (byte === 0 && factor > 1) throw malformed("a number has more bytes than it needs");
        return value;
      }
    }
    throw malformed("a number has more than four bytes");
  }

  /** A copy. */
  binary(): Buffer {
    const length = this.uint16();
    const from = this.#step(length);
    return Buffer.from(this.#buffer.subarray(from, from + length));
  }

  /** [MQTT5-1.5.4-1], [MQTT5-1.5.4-2] */
  text(): string {
    const bytes = this.binary();
    if (!isUtf8(bytes) || bytes.includes(0)) throw malformed("a text is not UTF-8, or holds U+0000");
    return bytes.toString();
  }

  #step(length: number): number {
    const from = this.at;
    this.at += length;
    if (this.at > this.#end) throw malformed("a packet is too short");
    return from;
  }
}

/** A property to send. */
export type OutgoingProperty = readonly [
  id: number,
  value: number | string | readonly [name: string, value: string],
];

/** Encodes a property list with its length in front. */
export function encodeProperties(properties: readonly OutgoingProperty[]): Buffer {
  const parts = properties.map(([id, value]) => {
    if (typeof value === "string") return Buffer.concat([Buffer.from([id]), encodeText(value)]);
    if (typeof value === "object")
      return Buffer.concat([Buffer.from([id]), encodeText(value[0]), encodeText(value[1])]);
    const bytes = widths.get(id) ?? 1;
    const encoded = Buffer.alloc(1 + bytes, id);
    encoded.writeUIntBE(value, 1, bytes);
    return encoded;
  });
  const body = Buffer.concat(parts);
  return Buffer.concat([encodeVariableInteger(body.length), body]);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** Bytes of the numbers among the properties that are sent; the others have one. */
const widths = new Map<number, number>([
  [propertyIds.sessionExpiry, 4],
  [propertyIds.maximumPacketSize, 4],
  [propertyIds.serverKeepAlive, 2],
  [propertyIds.receiveMaximum, 2],
  [propertyIds.topicAliasMaximum, 2],
]);
