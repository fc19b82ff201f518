import { type TopologyOptions, topologyOf } from "./topology.ts";
import { topologyLimits } from "./topology-limits.ts";

/** RabbitMQ's definitions file, as far as we fill it in. */
export interface Definitions {
  readonly exchanges: readonly object[];
  readonly queues: readonly object[];
  readonly bindings: readonly object[];
  readonly policies: readonly object[];
}

/** {@link TopologyOptions}, and where. */
export interface DefinitionsOptions extends TopologyOptions {
  /** @default "/" */
  readonly vhost?: string;
  /** Bounds the queues of an original deployment instead of leaving them to be drained. @default false */
  readonly keepLegacyQueues?: boolean;
}

/**
 * The same topology that is declared at start, as a file for `load_definitions` or `rabbitmqctl import_definitions`, so
 * that queues exist before the first client. Plus what cannot be declared over AMQP: the policy that bounds the queues
 * of MQTT subscriptions.
 *
 * RabbitMQ imports bindings in no particular order, and that order spreads the keys over the partitions until the broker
 * starts again, when it binds more or less by name: after an import, restart it once before clients come.
 */
export function definitions(options: DefinitionsOptions = {}): Definitions {
  const { vhost = "/", keepLegacyQueues = false } = options;
  const topology = topologyOf(options);
  const object = { vhost, durable: true, auto_delete: false };
  return {
    exchanges: topology.exchanges.map(({ name, type }) => ({
      ...object,
      ...{ name, type, internal: false, arguments: {} },
    })),
    queues: topology.queues.map((queue) => ({ ...object, ...queue })),
    bindings: topology.bindings.map(({ source, destination, kind, routingKey }) => ({
      ...{ vhost, source, destination, destination_type: kind, routing_key: routingKey, arguments: {} },
    })),
    policies: [subscriptionPolicy, ...(keepLegacyQueues ? [legacyPolicy] : [])].map((policy) => ({
      ...{ vhost, "apply-to": "queues", priority: 1, ...policy },
    })),
  };
}

const subscriptionPolicy = {
  name: "chat21-mqtt-subscriptions",
  pattern: "^mqtt-subscription-.*",
  definition: {
    "max-length": topologyLimits.subscriptionMessages,
    expires: topologyLimits.subscriptionExpiresMs,
  },
} as const;

const legacyPolicy = {
  name: "chat21-legacy-queues",
  pattern: "^(messages|persist|webhooks)$",
  definition: { "max-length": topologyLimits.legacyMessages },
} as const;
