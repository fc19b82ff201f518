import type { Delivery } from "@chat21/engine";

/** Inboxes that one parcel can name. */
const mostInboxes = 0xffff;
/** Before each payload: its bytes (32 bits) and the number of its inboxes (16 bits). */
const parcelHead = 6;
/** Before each inbox: its QoS (8 bits) and the bytes of its topic (16 bits). */
const inboxHead = 3;

interface Parcel {
  readonly payload: string;
  readonly inboxes: { readonly topic: string; readonly qos: 0 | 1 }[];
}

/**
 * Deliveries as bytes: each payload once, with the inboxes that it goes to. Deliveries of the very same text that follow
 * one another share its bytes. The order is kept.
 */
export function encodeDeliveries(deliveries: readonly Delivery[]): Buffer {
  const parcels: Parcel[] = [];
  let bytes = 0;
  let last: Parcel | undefined;
  for (const { payload, topic, qos } of deliveries) {
    if (last === undefined || last.payload !== payload || last.inboxes.length === mostInboxes) {
      last = { payload, inboxes: [] };
      parcels.push(last);
      bytes += parcelHead + Buffer.byteLength(payload);
    }
    last.inboxes.push({ topic, qos });
    bytes += inboxHead + Buffer.byteLength(topic);
  }
  const frame = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { payload, inboxes } of parcels) {
    const head = at;
    at += parcelHead;
    const written = frame.write(payload, at);
    frame.writeUInt32BE(written, head);
    frame.writeUInt16BE(inboxes.length, head + 4);
    at += written;
    for (const { topic, qos } of inboxes) {
      const size = frame.write(topic, at + inboxHead);
      frame[at] = qos;
      frame.writeUInt16BE(size, at + 1);
      at += inboxHead + size;
    }
  }
  return frame;
}

/** The deliveries of a frame; throws `RangeError` for bytes that {@link encodeDeliveries} has not made. */
export function decodeDeliveries(frame: Buffer): Delivery[] {
  const deliveries: Delivery[] = [];
  let at = 0;
  while (at < frame.length) {
    const size = frame.readUInt32BE(at);
    let inboxes = frame.readUInt16BE(at + 4);
    at += parcelHead;
    const payload = textAt(frame, at, size);
    at += size;
    for (; inboxes > 0; inboxes--) {
      const qos = frame.readUInt8(at) === 0 ? 0 : 1;
      const length = frame.readUInt16BE(at + 1);
      const topic = textAt(frame, at + inboxHead, length);
      at += inboxHead + length;
      const [, app = "", , user = ""] = topic.split("/", 4);
      deliveries.push({ app, user, topic, payload, qos });
    }
  }
  return deliveries;
}

function textAt(frame: Buffer, at: number, size: number): string {
  if (at + size > frame.length) throw new RangeError("the frame ends within a text");
  return frame.toString("utf8", at, at + size);
}
