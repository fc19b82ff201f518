import { isUtf8 } from "node:buffer";
import { packetHeaders } from "./packet-types.ts";
import { ProtocolViolation } from "./protocol-violation.ts";
import { readPacketId } from "./received-publish.ts";
import { isTopicFilter } from "./topic-filter.ts";

/**
 * Reads a SUBSCRIBE (`withQos`) or an UNSUBSCRIBE whose variable header is at `[body, end)`. The filters come in the
 * packet's order, repeats included. Throws {@link ProtocolViolation}.
 */
export function readFilters(buffer: Buffer, body: number, end: number, withQos: boolean): ReceivedFilters {
  const packetId = readPacketId(buffer, body, end);
  const filters: RequestedFilter[] = [];
  let at = body + 2;
  // [MQTT-3.8.3-3], [MQTT-3.10.3-2]
  if (at === end) throw malformed("a packet names no filter");
  while (at < end) {
    if (at + 2 > end) throw malformed("a filter is cut off");
    const from = at + 2;
    at = from + buffer.readUInt16BE(at);
    if (at + (withQos ? 1 : 0) > end) throw malformed("a filter is cut off");
    const bytes = buffer.subarray(from, at);
    const filter = bytes.toString();
    if (!isUtf8(bytes) || !isTopicFilter(filter)) throw malformed("a filter is malformed");
    const qos = withQos ? (buffer[at++] as number) : 0;
    // [MQTT-3-8.3-4]
    if (qos > 2) throw malformed("a filter asks for a QoS that does not exist");
    filters.push({ filter, qos: qos === 0 ? 0 : 1 });
  }
  return { packetId, filters };
}

/** The content of a SUBSCRIBE or UNSUBSCRIBE. */
export interface ReceivedFilters {
  readonly packetId: number;
  readonly filters: readonly RequestedFilter[];
}

/** A filter, and the QoS that it can be granted with: 2 is granted as 1 ([MQTT-3.8.4-6]). */
interface RequestedFilter {
  readonly filter: string;
  readonly qos: 0 | 1;
}

/** The SUBACK code of a filter that is refused. */
export const refusedFilter = 0x80;

/** Encodes a SUBACK with one code per filter ([MQTT-3.8.4-5]). */
export function encodeSuback(packetId: number, codes: readonly number[]): Buffer {
  const length: number[] = [];
  let rest = codes.length + 2;
  for (; rest >= 128; rest = rest >> 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  return Buffer.from([packetHeaders.suback, ...length, packetId >> 8, packetId & 0xff, ...codes]);
}

function malformed(message: string): ProtocolViolation {
  return new ProtocolViolation("protocol_error", message);
}
