import { isUtf8 } from "node:buffer";
import { malformed } from "./protocol-violation.ts";

/** Reads the PUBLISH of version 3 at `[start, end)`. Throws `ProtocolViolation`. */
export function readPublish(buffer: Buffer, start: number, body: number, end: number): ReceivedPublish {
  const qos = ((buffer[start] as number) >> 1) & 3;
  const topicStart = body + 2;
  const topicEnd = topicStart + readUint16(buffer, body, end);
  const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
  // [MQTT-3.3.1-4]
  if (qos === 3 || payloadStart > end) throw malformed("a PUBLISH is malformed");
  // [MQTT-3.3.1-2]
  const isDuplicate = ((buffer[start] as number) & 8) !== 0;
  if (qos === 0 && isDuplicate) throw malformed("a PUBLISH of QoS 0 has DUP");
  const topic = readTopic(buffer, topicStart, topicEnd);
  const packetId = qos === 0 ? 0 : readPacketId(buffer, topicEnd, end);
  return { topic, qos, packetId, isDuplicate, payloadStart };
}

/** The used parts of a PUBLISH. RETAIN has no meaning here. */
export interface ReceivedPublish {
  readonly topic: string;
  readonly qos: number;
  /** 0 for QoS 0. */
  readonly packetId: number;
  /** The client has sent it before. */
  readonly isDuplicate: boolean;
  /** Offset of the payload in the buffer. */
  readonly payloadStart: number;
}

const hash = 0x23;
const plus = 0x2b;

/** Reads the packet identifier at `at`. Throws `ProtocolViolation` when it is missing or 0 ([MQTT-2.3.1-1]). */
export function readPacketId(buffer: Buffer, at: number, end: number): number {
  const id = readUint16(buffer, at, end);
  if (id === 0) throw malformed("a packet identifier is 0");
  return id;
}

function readUint16(buffer: Buffer, at: number, end: number): number {
  if (at + 2 > end) throw malformed("a packet is too short");
  return ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
}

/** Reads the topic at `[start, end)`. Throws `ProtocolViolation`. */
export function readTopic(buffer: Buffer, start: number, end: number): string {
  let highBits = 0;
  for (let at = start; at < end; at++) {
    const byte = buffer[at] as number;
    // [MQTT-1.5.3-2], [MQTT-3.3.2-2]
    if (byte === 0 || byte === hash || byte === plus) throw malformed("a topic holds a wildcard or U+0000");
    highBits |= byte;
  }
  // [MQTT-4.7.3-1]
  if (start === end) throw malformed("a topic is empty");
  if (highBits < 0x80) return buffer.toString("latin1", start, end);
  // [MQTT-1.5.3-1]
  if (!isUtf8(buffer.subarray(start, end))) throw malformed("a topic is not UTF-8");
  return buffer.toString("utf8", start, end);
}
