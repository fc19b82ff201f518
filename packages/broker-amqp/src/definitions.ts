import { type TopologyOptions, topologyOf } from "./topology.ts";
import { topologyLimits } from "./topology-limits.ts";

/** RabbitMQ's definitions file, as far as we fill it in. */
export interface Definitions {
  readonly exchanges: readonly object[];
  readonly queues: readonly object[];
  readonly bindings: readonly object[];
  readonly policies: readonly object[];
}

/** Bounds queues in a way that cannot be declared over AMQP. */
export interface QueuePolicy {
  readonly name: string;
  /** Regular expression of the queues' names. */
  readonly pattern: string;
  /** RabbitMQ's keys. */
  readonly definition: Readonly<Record<string, string | number>>;
}

/** {@link TopologyOptions}, the virtual host and more policies. */
export interface DefinitionsOptions extends TopologyOptions {
  /** @default "/" */
  readonly vhost?: string;
  /** Policies beside our own. @default none */
  readonly policies?: readonly QueuePolicy[];
}

/**
 * The topology that is declared at start, as a file for `load_definitions` or `rabbitmqctl import_definitions`, so that
 * queues exist before the first client. It also holds the policy that bounds the queues of MQTT subscriptions, which
 * cannot be declared over AMQP.
 *
 * RabbitMQ imports bindings in no particular order, and that order spreads the keys over the partitions until the
 * broker starts again, when it binds more or less by name: after an import, restart it once before clients come.
 */
export function definitions(options: DefinitionsOptions = {}): Definitions {
  const { vhost = "/", policies = [] } = options;
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
    policies: [subscriptionPolicy, ...policies].map((policy) => ({
      ...{ vhost, "apply-to": "queues", priority: 1, ...policy },
    })),
  };
}

const subscriptionPolicy: QueuePolicy = {
  name: "chat21-mqtt-subscriptions",
  pattern: "^mqtt-subscription-.*",
  definition: {
    "max-length": topologyLimits.subscriptionMessages,
    expires: topologyLimits.subscriptionExpiresMs,
  },
};
