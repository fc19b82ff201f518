import { ChatError, limits as wireLimits } from "@chat21/protocol";

/**
 * Limits of the edge. Sizes are bytes, durations are milliseconds, the others are counts. A limit holds for each
 * connection unless it says otherwise.
 */
export interface EdgeLimits {
  /**
   * Largest MQTT packet that is kept. A larger PUBLISH is dropped and answered; any other larger packet closes the
   * connection before any of it is kept. Clients of version 5 are told this size, and a larger PUBLISH closes, too. @default 104448 (the largest payload and 2 KiB for topic and headers)
   */
  readonly maxPacketBytes: number;
  /**
   * Largest PUBLISH that is dropped and answered. The announced length of a larger one closes the connection.
   * @default 1048576
   */
  readonly maxDroppedPacketBytes: number;
  /** Longest filter that is granted. @default 1024 */
  readonly maxTopicBytes: number;
  /** Most levels of a filter that is granted, 1-100. @default 16 */
  readonly maxTopicLevels: number;
  /**
   * Publishes that the engine has and has not settled. Further ones wait. When more than {@link maxHeldBytes} wait, the
   * connection is not read until one settles. @default 128
   */
  readonly maxInFlightPublishes: number;
  /**
   * The same for all sessions of one user together: many connections do not get more done than one. @default 128
   */
  readonly maxInFlightPublishesPerUser: number;
  /**
   * The Receive Maximum that clients of version 5 are told, 1-65535. One publish more than that among those in flight
   * closes the connection. As long as it is larger than {@link maxInFlightPublishes}, clients that do not keep it
   * (MQTT.js) are slowed down like those of 3.1.1, not closed. @default 1024
   */
  readonly maxUnacknowledgedPublishes: number;
  /** Bytes of waiting packets. Beyond it the connection is not read. @default 65536 */
  readonly maxHeldBytes: number;
  /**
   * Outgoing bytes that wait for the kernel; the kernel's own buffers are not counted. Beyond it the connection is
   * closed as `slow_consumer`. @default 1048576
   */
  readonly maxBufferedBytes: number;
  /** QoS 1 deliveries without PUBACK, 1-65535. Beyond it the connection is closed as `slow_consumer`. @default 16384 */
  readonly maxUnacknowledgedDeliveries: number;
  /** Filters subscribed at the same time. One more is refused by SUBACK 0x80, to version 5 by 0x97. @default 32 */
  readonly maxSubscriptions: number;
  /**
   * Topics that a client of version 5 may give an alias to, each of at most {@link maxTopicBytes}. 0: none.
   * @default 16
   */
  readonly maxTopicAliases: number;
  /** User properties of one packet of version 5. They are checked and not kept. @default 64 */
  readonly maxUserProperties: number;
  /**
   * Longest keep-alive of a client of version 5, seconds. One that asks for a longer one, or for none, is told this one.
   * @default 1200
   */
  readonly maxKeepAliveSeconds: number;
  /** Connections of the whole edge, with or without a session. Further ones are refused. @default 20000 */
  readonly maxConnections: number;
  /**
   * Connections of one peer address, an IPv6 one by its network of 64 bits. Further ones are cut off. High, because an office
   * or a proxy may stand behind the address. @default 10000
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * Sessions of one user; admins are not limited. Further CONNECTs get CONNACK 3 (version 5: 0x9F), and the open sessions
   * stay: a client that is thrown out would connect again, and throw out the next. @default 32
   */
  readonly maxSessionsPerUser: number;
  /**
   * Outgoing bytes that wait for the sessions of one user. Beyond it the session with the most is closed as
   * `slow_consumer`, within half a second. @default 8388608
   */
  readonly maxBufferedBytesPerUser: number;
  /** The same for all sessions together. @default 134217728 */
  readonly maxBufferedBytesOfAll: number;
  /**
   * Largest WebSocket message. It may hold several MQTT packets. A larger one closes the connection. @default 1048576
   */
  readonly maxWebSocketMessageBytes: number;
  /**
   * A WebSocket client that sends nothing for so long is pinged; after as long again without a sign of life it is cut
   * off, whatever its keep-alive. The kernel does that for TCP, but behind a proxy only for the proxy. @default 60000
   */
  readonly webSocketSilenceMs: number;
  /** Longest time from the first byte of the connection to CONNACK, without the TLS handshake. @default 10000 */
  readonly connectTimeoutMs: number;
  /**
   * CONNECTs and AUTHs per peer address and minute that learn why their token is refused. Further ones get CONNACK 3
   * (version 5: 0x9F) until the minute is over. A good token is admitted all the same. 0: no limit. @default 300
   */
  readonly maxAuthFailuresPerMinute: number;
}

/** The limits of an edge whose options name no others. */
export const defaultEdgeLimits = Object.freeze({
  maxPacketBytes: wireLimits.payloadBytes + 2_048,
  maxDroppedPacketBytes: 1_024 * 1_024,
  maxTopicBytes: 1_024,
  maxTopicLevels: 16,
  maxInFlightPublishes: 128,
  maxInFlightPublishesPerUser: 128,
  maxUnacknowledgedPublishes: 1_024,
  maxHeldBytes: 64 * 1_024,
  maxBufferedBytes: 1_024 * 1_024,
  maxUnacknowledgedDeliveries: 16_384,
  maxSubscriptions: 32,
  maxTopicAliases: 16,
  maxUserProperties: 64,
  maxKeepAliveSeconds: 1_200,
  maxConnections: 20_000,
  maxConnectionsPerAddress: 10_000,
  maxSessionsPerUser: 32,
  maxBufferedBytesPerUser: 8 * 1_024 * 1_024,
  maxBufferedBytesOfAll: 128 * 1_024 * 1_024,
  maxWebSocketMessageBytes: 1_024 * 1_024,
  webSocketSilenceMs: 60_000,
  connectTimeoutMs: 10_000,
  maxAuthFailuresPerMinute: 300,
}) satisfies EdgeLimits;

const largest: Partial<Record<keyof EdgeLimits, number>> = {
  // The largest length that an MQTT packet can announce.
  maxPacketBytes: 268_435_455,
  maxDroppedPacketBytes: 268_435_455,
  maxTopicBytes: 65_535,
  maxTopicLevels: 100,
  // Packet identifiers have 16 bits, and 0 is not allowed.
  maxUnacknowledgedDeliveries: 65_535,
  maxUnacknowledgedPublishes: 65_535,
  maxTopicAliases: 65_535,
  maxKeepAliveSeconds: 65_535,
};

const mayBeZero: readonly string[] = [
  "maxAuthFailuresPerMinute",
  "maxTopicAliases",
] satisfies (keyof EdgeLimits)[];

/** Fills in the defaults. Throws `bad_request` for a value that is not a whole number in its range. */
export function resolveEdgeLimits(given: Partial<EdgeLimits> = {}): EdgeLimits {
  const resolved = { ...defaultEdgeLimits, ...given };
  for (const [name, value] of Object.entries(resolved)) {
    const least = mayBeZero.includes(name) ? 0 : 1;
    const most = largest[name as keyof EdgeLimits] ?? Number.MAX_SAFE_INTEGER;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new ChatError(
        "bad_request",
        `limits.${name}: expected a whole number ${least}-${most}, got ${value}`,
      );
    }
  }
  return Object.freeze(resolved);
}
