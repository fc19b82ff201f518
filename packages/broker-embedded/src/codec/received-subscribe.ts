import { isUtf8 } from "node:buffer";
import { encodePacket } from "./encode-packet.ts";
import { packetHeaders } from "./packet-types.ts";
import { malformed } from "./protocol-violation.ts";
import { readPacketId } from "./received-publish.ts";
import { isTopicFilter } from "./topic-filter.ts";

/**
 * Reads a SUBSCRIBE (`withOptions`) or an UNSUBSCRIBE of version 3 whose variable header is at `[body, end)`. The filters
 * come in the packet's order, repeats included. Throws `ProtocolViolation`.
 */
export function readFilters(
  buffer: Buffer,
  body: number,
  end: number,
  withOptions: boolean,
): ReceivedFilters {
  const packetId = readPacketId(buffer, body, end);
  return { packetId, filters: readFilterList(buffer, body + 2, end, withOptions ? readQos : null) };
}

/**
 * Reads the filters at `[from, end)`; `readOptions` makes the QoS of the byte behind each, if there is one. Throws
 * `ProtocolViolation`.
 */
export function readFilterList(
  buffer: Buffer,
  from: number,
  end: number,
  readOptions: ((options: number) => number) | null,
): readonly RequestedFilter[] {
  const filters: RequestedFilter[] = [];
  let at = from;
  // [MQTT-3.8.3-3], [MQTT-3.10.3-2]
  if (at === end) throw malformed("a packet names no filter");
  while (at < end) {
    if (at + 2 > end) throw malformed("a filter is cut off");
    const start = at + 2;
    at = start + buffer.readUInt16BE(at);
    if (at + (readOptions === null ? 0 : 1) > end) throw malformed("a filter is cut off");
    const bytes = buffer.subarray(start, at);
    const filter = bytes.toString();
    if (!isUtf8(bytes) || !isTopicFilter(filter)) throw malformed("a filter is malformed");
    const qos = readOptions === null ? 0 : readOptions(buffer[at++] as number);
    filters.push({ filter, qos: qos === 0 ? 0 : 1 });
  }
  return filters;
}

function readQos(options: number): number {
  // [MQTT-3-8.3-4]
  if (options > 2) throw malformed("a filter asks for a QoS that does not exist");
  return options;
}

/** The content of a SUBSCRIBE or UNSUBSCRIBE. */
export interface ReceivedFilters {
  readonly packetId: number;
  readonly filters: readonly RequestedFilter[];
}

/** A filter, and the QoS that it can be granted with: 2 is granted as 1 ([MQTT-3.8.4-6]). */
export interface RequestedFilter {
  readonly filter: string;
  readonly qos: 0 | 1;
}

/** The SUBACK code of a filter that is refused. */
export const refusedFilter = 0x80;

/** Encodes a SUBACK with one code per filter ([MQTT-3.8.4-5]). */
export function encodeSuback(packetId: number, codes: readonly number[]): Buffer {
  return encodePacket(packetHeaders.suback, Buffer.from([packetId >> 8, packetId & 0xff, ...codes]));
}
