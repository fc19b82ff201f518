import type { ChatError, ErrorCode } from "@chat21/protocol";
import { packetHeaders } from "../codec/packet-types.ts";
import { protocolError } from "../codec/protocol-violation.ts";
import { connackOf } from "../codec/received-connect.ts";
import { readPacketId, readPublish } from "../codec/received-publish.ts";
import { encodeSuback, readFilters, refusedFilter } from "../codec/received-subscribe.ts";
import type { Dialect } from "./dialect.ts";

/** MQTT 3.1 and 3.1.1. All connections share it: it has no state. */
export const version3: Dialect = {
  maxClientPacketBytes: Number.POSITIVE_INFINITY,
  clientReceiveMaximum: Number.POSITIVE_INFINITY,
  receiveMaximum: Number.POSITIVE_INFINITY,
  authMethod: null,
  saysGoodbye: false,
  tokenOf: ({ password }) => password,
  keepAliveOf: ({ keepAliveSeconds }) => keepAliveSeconds,
  accept: () => connackOf(0),
  refuse: ({ code }: ChatError) => connackOf(connackCodes[code] ?? 3),
  readPublish,
  readAcknowledged(buffer, body, end) {
    if (end !== body + 2) throw protocolError("an acknowledgement is too short or too long");
    return readPacketId(buffer, body, end);
  },
  readSubscribe: (buffer, body, end) => readFilters(buffer, body, end, true),
  readUnsubscribe: (buffer, body, end) => readFilters(buffer, body, end, false),
  readDisconnect(_buffer, body, end) {
    if (end !== body) throw protocolError("a packet has a body that it must not have");
  },
  refusePublish: () => null,
  completeUnknown: () => null,
  suback: (packetId, codes) =>
    encodeSuback(
      packetId,
      codes.map((code) => Math.min(code, refusedFilter)),
    ),
  unsuback: (packetId) => Buffer.from([packetHeaders.unsuback, 2, packetId >> 8, packetId & 0xff]),
  goodbye: () => null,
};

/** CONNACK code for each error code ([MQTT-3.2.2-4]). All other errors are 3, "server unavailable". */
const connackCodes: Partial<Record<ErrorCode, 2 | 4 | 5>> = {
  bad_request: 2,
  invalid_id: 2,
  unauthorized: 4,
  token_expired: 4,
  token_revoked: 4,
  forbidden: 5,
};
