import type { ServerProperties } from "amqplib";

/** Differences between the brokers that are supported (RabbitMQ 3.10 to 4.x). */
export interface BrokerCapabilities {
  /** As the server calls itself, for example `RabbitMQ`. */
  readonly product: string;
  /** As the server gives it, for example `3.10.8`. */
  readonly version: string;
  /** Says by `connection.blocked` that it takes no publishes because memory or disk runs out. */
  readonly saysBlocked: boolean;
  /** Counts in `x-delivery-count` how often a quorum queue has given a message out before. */
  readonly countsQuorumDeliveries: boolean;
  /** From 4.0 on: a message that is published transient reaches MQTT clients with QoS 0, whatever they subscribed with. */
  readonly transientIsQos0: boolean;
  /** From 4.0 on: there are no mirrored classic queues; quorum queues replace them. */
  readonly mirrorsClassicQueues: boolean;
}

/**
 * Reads a server's properties. A server that is no RabbitMQ, or hides its version, is taken for the oldest version
 * supported.
 */
export function capabilitiesOf(properties: ServerProperties): BrokerCapabilities {
  const { product = "", version = "" } = properties as Partial<ServerProperties>;
  const major = Number(/^(\d+)\./.exec(version)?.[1] ?? 3);
  const told = (properties as { readonly capabilities?: Readonly<Record<string, unknown>> }).capabilities;
  return {
    product,
    version,
    saysBlocked: told?.["connection.blocked"] === true,
    countsQuorumDeliveries: product === "RabbitMQ",
    transientIsQos0: major >= 4,
    mirrorsClassicQueues: major < 4,
  };
}
