import { isUtf8 } from "node:buffer";
import { type ReceivedProperties, readProperties } from "./properties.ts";
import { malformed, ProtocolViolation, protocolError } from "./protocol-violation.ts";
import { reasons } from "./reason-codes.ts";
import { encodeRefusal } from "./version-5-packets.ts";

/**
 * Reads the CONNECT whose variable header is at `[body, end)`, or says how it is refused. Throws
 * {@link ProtocolViolation}, which closes without CONNACK. Nothing of the result refers to `buffer`.
 */
export function readConnect(
  buffer: Buffer,
  body: number,
  end: number,
  maxUserProperties: number,
): ReceivedConnect | ConnectRefusal {
  const nameEnd = body + 2 + readUint16(buffer, body, end);
  const name = buffer.toString("latin1", body + 2, nameEnd);
  if (nameEnd + 4 > end) throw malformed("a CONNECT is too short");
  const level = buffer[nameEnd] as number;
  // [MQTT-3.1.2-1]
  if (name !== "MQTT" && name !== "MQIsdp") throw malformed("a CONNECT names an unknown protocol");
  if (name === "MQTT" && level === 5) return readVersion5(buffer, nameEnd, end, maxUserProperties);
  // [MQTT-3.1.2-2]
  if (level !== (name === "MQTT" ? 4 : 3)) return { level, connack: connackOf(1) };
  const flags = readFlags(buffer, nameEnd);
  // [MQTT-3.1.2-22]
  if ((flags & 0xc0) === 0x40) throw malformed("a CONNECT has a password, but no user name");
  const keepAliveSeconds = readUint16(buffer, nameEnd + 2, end);
  const fields = readFields(buffer, flags, nameEnd + 4, end);
  // [MQTT-3.1.3-8]; only version 3.1.1 knows empty client ids.
  const mayBeEmpty = level === 4 && (flags & 2) !== 0;
  if (fields.clientId === "" && !mayBeEmpty) return { level, connack: connackOf(2) };
  return { ...fields, keepAliveSeconds, properties: null };
}

/** A client of version 5 is told what is wrong ([MQTT5-3.1.4-1]). */
function readVersion5(
  buffer: Buffer,
  nameEnd: number,
  end: number,
  maxUserProperties: number,
): ReceivedConnect | ConnectRefusal {
  try {
    const flags = readFlags(buffer, nameEnd);
    const keepAliveSeconds = readUint16(buffer, nameEnd + 2, end);
    const read = readProperties(buffer, nameEnd + 4, end, "connect", maxUserProperties);
    const properties = read.values;
    const fields = readFields(buffer, flags, read.next, end, maxUserProperties);
    // [MQTT5-3.2.2-13]
    if ((flags & 0x24) === 0x24) throw protocolError("a will is not retained", reasons.retainNotSupported);
    if (properties.authMethod === undefined && properties.authData !== undefined)
      throw protocolError("a CONNECT has authentication data, but no method");
    return { ...fields, keepAliveSeconds, properties };
  } catch (thrown) {
    if (!(thrown instanceof ProtocolViolation)) throw thrown;
    return { level: 5, connack: encodeRefusal(thrown.reasonCode, thrown.message) };
  }
}

/** Reads the flags behind the protocol level. */
function readFlags(buffer: Buffer, nameEnd: number): number {
  const flags = buffer[nameEnd + 1] as number;
  if ((flags & 1) !== 0) throw malformed("the reserved flag of a CONNECT is set"); // [MQTT-3.1.2-3]
  const willFlags = flags & 0x38;
  // [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-15]
  if ((flags & 4) === 0 && willFlags !== 0) throw malformed("a CONNECT has flags of a will, but no will");
  if ((willFlags & 0x18) === 0x18) throw malformed("a will has QoS 3"); // [MQTT-3.1.2-14]
  return flags;
}

/** The used content of a CONNECT. Every session is a clean one, so the flag for it is not part of it. */
export interface ReceivedConnect {
  /** Empty: the server has to make one. */
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly will: { readonly topic: string; readonly payload: Buffer } | undefined;
  /** 0: none. */
  readonly keepAliveSeconds: number;
  /** `null` below version 5. */
  readonly properties: ReceivedProperties | null;
}

/** The CONNACK that refuses a CONNECT. */
export interface ConnectRefusal {
  /** The protocol level that the client asked for. */
  readonly level: number;
  readonly connack: Buffer;
}

/** CONNACK of versions 3.1 and 3.1.1, without a session. 0 accepts. */
export function connackOf(returnCode: 0 | 1 | 2 | 3 | 4 | 5): Buffer {
  return Buffer.from([0x20, 2, 0, returnCode]);
}

/**
 * Reads the client id and the fields behind it: those that the flags announce, in their order, and nothing else
 * ([MQTT-3.1.2-9], [MQTT-3.1.2-11], [MQTT-3.1.2-18] to [MQTT-3.1.2-21], [MQTT-3.1.3-1]). `maxUserProperties`: the will has
 * properties, as in version 5.
 */
function readFields(buffer: Buffer, flags: number, from: number, end: number, maxUserProperties?: number) {
  let at = from;
  const next = (): Buffer => {
    const start = at + 2;
    at = start + readUint16(buffer, at, end);
    if (at > end) throw malformed("a CONNECT is too short");
    return buffer.subarray(start, at);
  };
  const nextText = (what: string): string => {
    const bytes = next();
    // [MQTT-1.5.3-1], [MQTT-1.5.3-2]
    if (!isUtf8(bytes) || bytes.includes(0)) throw malformed(`${what} is malformed`);
    return bytes.toString();
  };
  const clientId = nextText("a client id");
  let will: ReceivedConnect["will"];
  if ((flags & 0x04) !== 0) {
    if (maxUserProperties !== undefined) at = readProperties(buffer, at, end, "will", maxUserProperties).next;
    const topic = nextText("the topic of a will"); // [MQTT-3.1.3-10]
    if (topic === "") throw malformed("the topic of a will is empty"); // [MQTT-4.7.3-1]
    will = { topic, payload: Buffer.from(next()) };
  }
  const username = (flags & 0x80) !== 0 ? nextText("a user name") : undefined; // [MQTT-3.1.3-11]
  const password = (flags & 0x40) !== 0 ? next().toString() : undefined;
  if (at !== end) throw malformed("a CONNECT has more fields than its flags say");
  return { clientId, will, username, password };
}

function readUint16(buffer: Buffer, at: number, end: number): number {
  if (at + 2 > end) throw malformed("a CONNECT is too short");
  return buffer.readUInt16BE(at);
}
