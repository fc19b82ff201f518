import { packetHeaders } from "./packet-types.ts";

/** A PUBLISH that is on its way out. The payload may be shared with other connections and is never written to. */
interface OutgoingPublish {
  readonly topic: string;
  readonly topicBytes: number;
  readonly payload: Buffer;
  /** 0: QoS 0. */
  readonly packetId: number;
}

/** From this size on a payload is written from where it lies instead of being copied beside the small packets. */
const shareFromBytes = 16 * 1_024;

/**
 * Packets that a connection is to send, encoded together when they are taken: one buffer and one write for all of a
 * turn, however many packets it brought.
 */
export class OutgoingPackets {
  /** An acknowledgement is a number: header in the upper, identifier in the lower 16 bits. */
  #packets: (number | Buffer | OutgoingPublish)[] = [];
  #bytes = 0;

  /** Encoded size of what waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** PUBACK, PUBREC or PUBCOMP. */
  addAcknowledgement(header: number, packetId: number): void {
    this.#packets.push((header << 16) | packetId);
    this.#bytes += 4;
  }

  /** A packet that is encoded already. */
  addEncoded(packet: Buffer): void {
    this.#packets.push(packet);
    this.#bytes += packet.length;
  }

  /** `packetId` 0 sends QoS 0. Never retained, never a duplicate. */
  addPublish(topic: string, payload: Buffer, packetId: number): void {
    const topicBytes = Buffer.byteLength(topic);
    this.#packets.push({ topic, topicBytes, payload, packetId });
    const remaining = remainingLength(topicBytes, payload.length, packetId);
    this.#bytes += 1 + lengthBytes(remaining) + remaining;
  }

  /** The bytes of everything that waits, in order; forgets it. */
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
        at = writePublishHead(copied, at, packet);
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

function writePublishHead(target: Buffer, start: number, packet: OutgoingPublish): number {
  const { topic, topicBytes, packetId } = packet;
  let at = start;
  target[at++] = packetHeaders.publish | (packetId === 0 ? 0 : 2);
  let length = remainingLength(topicBytes, packet.payload.length, packetId);
  for (; length >= 128; length = Math.floor(length / 128)) target[at++] = (length % 128) | 0x80;
  target[at++] = length;
  target[at++] = topicBytes >>> 8;
  target[at++] = topicBytes;
  at += target.write(topic, at, topicBytes === topic.length ? "latin1" : "utf8");
  if (packetId !== 0) {
    target[at++] = packetId >>> 8;
    target[at++] = packetId;
  }
  return at;
}

function remainingLength(topicBytes: number, payloadBytes: number, packetId: number): number {
  return 2 + topicBytes + (packetId === 0 ? 0 : 2) + payloadBytes;
}

function lengthBytes(remaining: number): number {
  return remaining < 128 ? 1 : remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4;
}
