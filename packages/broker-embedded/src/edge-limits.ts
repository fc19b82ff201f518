import { ChatError, limits as wireLimits } from "@chat21/protocol";

/** Bounds of the edge. Sizes are bytes, durations milliseconds, the rest counts; every one is per connection unless it says so. */
export interface EdgeLimits {
  /**
   * Largest MQTT packet a client may send. Decided on the length a packet announces: a larger one closes the
   * connection before any of it is kept. @default 67584 (the largest payload and 2 KiB for topic and headers)
   */
  readonly maxPacketBytes: number;
  /** Longest topic or filter a client may name. @default 1024 */
  readonly maxTopicBytes: number;
  /** Most levels of a topic or filter, 1-100. @default 16 */
  readonly maxTopicLevels: number;
  /**
   * Publishes handed to the engine and not settled yet. Further ones wait, and behind {@link maxHeldBytes} the
   * connection is not read until one settles. @default 128
   */
  readonly maxInFlightPublishes: number;
  /** Bytes of packets that wait for their turn before the connection is no longer read. @default 65536 */
  readonly maxHeldBytes: number;
  /**
   * Outgoing bytes that the client has not taken yet, over and above what the kernel buffers. Beyond it the
   * connection is closed as `slow_consumer`. @default 1048576
   */
  readonly maxBufferedBytes: number;
  /** QoS 1 deliveries without PUBACK, 1-65535. Beyond it the connection is closed as `slow_consumer`. @default 16384 */
  readonly maxUnacknowledgedDeliveries: number;
  /** Filters subscribed at the same time; one more closes the connection. @default 32 */
  readonly maxSubscriptions: number;
  /** Connections of the whole edge, known or not yet known. Others are turned away. @default 20000 */
  readonly maxConnections: number;
  /** Largest WebSocket message; it may hold several MQTT packets. A larger one closes the connection. @default 1048576 */
  readonly maxWebSocketMessageBytes: number;
  /** From the first byte of the connection to CONNACK, TLS handshake excluded. @default 10000 */
  readonly connectTimeoutMs: number;
  /**
   * Refused CONNECTs per peer address and minute. Beyond it that address gets CONNACK 3 without a look at its
   * token until the minute is over. 0: no limit. @default 300
   */
  readonly maxAuthFailuresPerMinute: number;
}

/** What holds where the options name no other value. */
export const defaultEdgeLimits = Object.freeze({
  maxPacketBytes: wireLimits.payloadBytes + 2_048,
  maxTopicBytes: 1_024,
  maxTopicLevels: 16,
  maxInFlightPublishes: 128,
  maxHeldBytes: 64 * 1_024,
  maxBufferedBytes: 1_024 * 1_024,
  maxUnacknowledgedDeliveries: 16_384,
  maxSubscriptions: 32,
  maxConnections: 20_000,
  maxWebSocketMessageBytes: 1_024 * 1_024,
  connectTimeoutMs: 10_000,
  maxAuthFailuresPerMinute: 300,
}) satisfies EdgeLimits;

const largest: Partial<Record<keyof EdgeLimits, number>> = {
  // What the length field of an MQTT packet can say.
  maxPacketBytes: 268_435_455,
  maxTopicBytes: 65_535,
  maxTopicLevels: 100,
  // Packet identifiers are 16 bit and 0 is none.
  maxUnacknowledgedDeliveries: 65_535,
};

/** Merges over the defaults. Throws `bad_request` for a value that is no whole number in its range. */
export function resolveEdgeLimits(given: Partial<EdgeLimits> = {}): EdgeLimits {
  const resolved = { ...defaultEdgeLimits, ...given };
  for (const [name, value] of Object.entries(resolved)) {
    const least = name === "maxAuthFailuresPerMinute" ? 0 : 1;
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
