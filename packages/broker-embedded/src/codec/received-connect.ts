import { isUtf8 } from "node:buffer";
import { ProtocolViolation } from "./protocol-violation.ts";

/**
 * Checks what must be known of a CONNECT before it is parsed: protocol, flags, and the form of the client id. Returns
 * `null` for a good one. Throws {@link ProtocolViolation}, which closes without CONNACK.
 */
export function checkConnect(buffer: Buffer, body: number, end: number): ConnectRefusal | null {
  const nameEnd = body + 2 + readUint16(buffer, body, end);
  const name = buffer.toString("latin1", body + 2, nameEnd);
  if (nameEnd + 4 > end) throw malformed("a CONNECT is too short");
  const level = buffer[nameEnd] as number;
  const flags = buffer[nameEnd + 1] as number;
  // [MQTT-3.1.2-1]
  const served = name === "MQTT" ? 4 : name === "MQIsdp" ? 3 : 0;
  if (served === 0) throw malformed("a CONNECT names an unknown protocol");
  // [MQTT-3.1.2-2]; a client of version 5 reads only the form of version 5.
  if (level !== served) return { level, connack: Buffer.from(level === 5 ? version5Refusal : refusalOf(1)) };
  if ((flags & 1) !== 0) throw malformed("the reserved flag of a CONNECT is set"); // [MQTT-3.1.2-3]
  const willFlags = flags & 0x38;
  // [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-15]
  if ((flags & 4) === 0 && willFlags !== 0) throw malformed("a CONNECT has flags of a will, but no will");
  if ((willFlags & 0x18) === 0x18) throw malformed("a will has QoS 3"); // [MQTT-3.1.2-14]
  // [MQTT-3.1.2-22]
  if ((flags & 0xc0) === 0x40) throw malformed("a CONNECT has a password, but no user name");
  const idStart = nameEnd + 6;
  const idEnd = idStart + readUint16(buffer, nameEnd + 4, end);
  const id = buffer.subarray(idStart, idEnd);
  if (idEnd > end || !isText(id)) throw malformed("a client id is malformed");
  checkFields(buffer, flags, idEnd, end);
  // [MQTT-3.1.3-8]; only version 3.1.1 knows empty client ids.
  const mayBeEmpty = level === 4 && (flags & 2) !== 0;
  return id.length > 0 || mayBeEmpty ? null : { level, connack: Buffer.from(refusalOf(2)) };
}

/**
 * Checks the fields behind the client id: those that the flags announce, in their order, and nothing else
 * ([MQTT-3.1.2-9], [MQTT-3.1.2-11], [MQTT-3.1.2-18] to [MQTT-3.1.2-21], [MQTT-3.1.3-1]).
 */
function checkFields(buffer: Buffer, flags: number, from: number, end: number): void {
  let at = from;
  const next = (): Buffer => {
    const start = at + 2;
    at = start + readUint16(buffer, at, end);
    if (at > end) throw malformed("a CONNECT is too short");
    return buffer.subarray(start, at);
  };
  if ((flags & 0x04) !== 0) {
    const topic = next();
    // [MQTT-3.1.3-10], [MQTT-4.7.3-1]
    if (topic.length === 0 || !isText(topic)) throw malformed("the topic of a will is malformed");
    next();
  }
  // [MQTT-3.1.3-11]
  if ((flags & 0x80) !== 0 && !isText(next())) throw malformed("a user name is malformed");
  if ((flags & 0x40) !== 0) next();
  if (at !== end) throw malformed("a CONNECT has more fields than its flags say");
}

/** [MQTT-1.5.3-1], [MQTT-1.5.3-2] */
function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

/** The CONNACK that refuses a CONNECT. */
export interface ConnectRefusal {
  /** The protocol level that the client asked for. */
  readonly level: number;
  readonly connack: Buffer;
}

const refusalOf = (returnCode: number) => [0x20, 2, 0, returnCode];

/** CONNACK of version 5: no session, "unsupported protocol version", no properties. */
const version5Refusal = [0x20, 3, 0, 0x84, 0];

function readUint16(buffer: Buffer, at: number, end: number): number {
  if (at + 2 > end) throw malformed("a CONNECT is too short");
  return buffer.readUInt16BE(at);
}

function malformed(message: string): ProtocolViolation {
  return new ProtocolViolation("protocol_error", message);
}
