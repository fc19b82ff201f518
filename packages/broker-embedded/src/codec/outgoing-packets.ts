import { packetHeaders } from "./packet-types.ts";

/**
 * The packets that a connection has to send. All packets of a turn of the event loop are encoded together, into one
 * buffer and one write.
 */
export class OutgoingPackets {
  /** An acknowledgement is a number: the header in the upper 16 bits, the identifier in the lower 16. */
  #packets: (number | Buffer | OutgoingPublish)[] = [];
  #bytes = 0;
  /** Bytes of the empty property list that a PUBLISH of version 5 has. */
  #propertyBytes = 0;

  /** From now on each PUBLISH is one of version 5. */
  useVersion5(): void {
    this.#propertyBytes = 1;
  }

  /** Encoded size of the waiting packets. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a PUBACK, PUBREC or PUBCOMP. */
  addAcknowledgement(header: number, packetId: number): void {
    this.#packets.push((header << 16) | packetId);
    this.#bytes += 4;
  }

  /** Adds a packet that is already encoded. */
  addEncoded(packet: Buffer): void {
    this.#packets.push(packet);
    this.#bytes += packet.length;
  }

  /** Adds a PUBLISH. `packetId` 0 means QoS 0. RETAIN and DUP are never set. */
  addPublish(topic: string, payload: Buffer, packetId: number): void {
    const topicBytes = Buffer.byteLength(topic);
    this.#packets.push({ topic, topicBytes, payload, packetId });
    const remaining = remainingLength(topicBytes, payload.length, packetId) + this.#propertyBytes;
    this.#bytes += 1 + lengthBytes(remaining) + remaining;
  }

  /** Removes all waiting packets and returns their bytes, in order. */
  take(): Buffer[] {
    const packets = this.#packets;
    const copied = Buffer.allocUnsafe(this.#bytes - sharedBytes(packets));
    const chunks: Buffer[] = [];
    let from = 0;
    let at = 0;
    for (const packet of packets) {
      if (typeof packet === "number") {
        at = writeAcknowledgement(copied, at, packet);
      } else if (packet instanceof Uint8Array) {
        at += packet.copy(copied, at);
      } else {
        at = writePublishHead(copied, at, packet, this.#propertyBytes);
        if (packet.payload.length < shareFromBytes) {
          at += packet.payload.copy(copied, at);
        } else {
          chunks.push(copied.subarray(from, at), packet.payload);
          from = at;
        }
      }
    }
    if (at > from) chunks.push(from === 0 ? copied : copied.subarray(from, at));
    this.clear();
    return chunks;
  }

  clear(): void {
    this.#packets = [];
    this.#bytes = 0;
  }
}

/** A PUBLISH to send. Other connections may share its payload, so nobody writes to it. */
interface OutgoingPublish {
  readonly topic: string;
  readonly topicBytes: number;
  readonly payload: Buffer;
  /** 0 for QoS 0. */
  readonly packetId: number;
}

/** A payload of this size or more is written without a copy; smaller ones are copied into one buffer. */
const shareFromBytes = 16 * 1_024;

function sharedBytes(packets: readonly (number | Buffer | OutgoingPublish)[]): number {
  let bytes = 0;
  for (const packet of packets) {
    if (typeof packet === "number" || packet instanceof Uint8Array) continue;
    if (packet.payload.length >= shareFromBytes) bytes += packet.payload.length;
  }
  return bytes;
}

function writeAcknowledgement(target: Buffer, at: number, packet: number): number {
  target[at] = packet >>> 16;
  target[at + 1] = 2;
  target[at + 2] = packet >>> 8;
  target[at + 3] = packet;
  return at + 4;
}

function writePublishHead(
  target: Buffer,
  start: number,
  packet: OutgoingPublish,
  propertyBytes: number,
): number {
  const { topic, topicBytes, packetId } = packet;
  let at = start;
  target[at++] = packetHeaders.publish | (packetId === 0 ? 0 : 2);
  let length = remainingLength(topicBytes, packet.payload.length, packetId) + propertyBytes;
  for (; length >= 128; length = Math.floor(length / 128)) target[at++] = (length % 128) | 0x80;
  target[at++] = length;
  target[at++] = topicBytes >>> 8;
  target[at++] = topicBytes;
  at += target.write(topic, at, topicBytes === topic.length ? "latin1" : "utf8");
  if (packetId !== 0) {
    target[at++] = packetId >>> 8;
    target[at++] = packetId;
  }
  if (propertyBytes !== 0) target[at++] = 0;
  return at;
}

/** Bytes of a PUBLISH of version 5 without properties. */
export function version5PublishBytes(topic: string, payloadBytes: number, packetId: number): number {
  const remaining = remainingLength(Buffer.byteLength(topic), payloadBytes, packetId) + 1;
  return 1 + lengthBytes(remaining) + remaining;
}

function remainingLength(topicBytes: number, payloadBytes: number, packetId: number): number {
  return 2 + topicBytes + (packetId === 0 ? 0 : 2) + payloadBytes;
}

function lengthBytes(remaining: number): number {
  return remaining < 128 ? 1 : remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4;
}
