import type { Channel } from "amqplib";
import { clientRoutingPatterns } from "./routing.ts";
import { topologyLimits } from "./topology-limits.ts";

/** Names of everything that is ours on the broker. */
export const names = {
  /** The MQTT plugin's; not ours, always there. */
  mqtt: "amq.topic",
  /** Spreads what clients publish over the partitions. */
  inbound: "chat21.in",
  /** Events for backends, `apps.<app>.<event>`. */
  events: "chat21.events",
  /** Invalidations between processes. */
  invalidations: "chat21.invalidations",
  /** Words of a node to all others. */
  nodes: "chat21.nodes",
  /** It exists where observers serve, or have served, clients of the MQTT plugin in this network; nothing goes through it. */
  plugin: (network: string) => `chat21.plugin.${network}`,
  /** Messages that could not be handled, with the reason. */
  dead: "chat21.dead",
  partition: (partition: number) => `chat21.partition.${partition}`,
} as const;

/** `classic`: fast, on one node. `quorum`: replicated over the nodes of a cluster, and slower. */
export type QueueType = "classic" | "quorum";

/** Options of the broker's objects. */
export interface TopologyOptions {
  /** App ids whose clients are served. @default every app */
  readonly apps?: readonly string[] | undefined;
  /** @default `topologyLimits.partitions` */
  readonly partitions?: number | undefined;
  /** Of the partition queues. @default "classic" */
  readonly queueType?: QueueType | undefined;
}

type Arguments = Readonly<Record<string, string | number | boolean>>;

/** An exchange to declare; durable. */
export interface ExchangeDeclaration {
  readonly name: string;
  readonly type: "topic" | "fanout" | "x-consistent-hash";
}

/** A queue to declare; durable. */
interface QueueDeclaration {
  readonly name: string;
  readonly arguments: Arguments;
}

/** A binding to declare. */
interface BindingDeclaration {
  readonly source: string;
  readonly destination: string;
  readonly kind: "queue" | "exchange";
  readonly routingKey: string;
}

/** Everything that is declared, in order. */
export interface Topology {
  readonly exchanges: readonly ExchangeDeclaration[];
  readonly queues: readonly QueueDeclaration[];
  readonly bindings: readonly BindingDeclaration[];
}

/** Exchanges that every process publishes to, beside {@link names.mqtt}. */
export const publishedExchanges: readonly ExchangeDeclaration[] = [
  { name: names.events, type: "topic" },
  { name: names.invalidations, type: "fanout" },
];

const exchanges: readonly ExchangeDeclaration[] = [
  { name: names.inbound, type: "x-consistent-hash" },
  ...publishedExchanges,
];

const deadQueue: QueueDeclaration = {
  name: names.dead,
  arguments: {
    "x-queue-type": "classic",
    "x-max-length": topologyLimits.deadLetters,
    "x-max-length-bytes": topologyLimits.deadLetterBytes,
    "x-overflow": "drop-head",
  },
};

// The type is always given, because a virtual host may have another default.
const partitionArguments: Readonly<Record<QueueType, Arguments>> = {
  classic: { "x-queue-type": "classic", "x-single-active-consumer": true },
  quorum: {
    "x-queue-type": "quorum",
    "x-single-active-consumer": true,
    // From 4.0 on the broker drops a message that it has given out 20 times, unless a limit and a dead-letter exchange
    // are set.
    "x-delivery-limit": topologyLimits.quorumDeliveries,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": names.dead,
  },
};

/** All objects that have to be on the broker. Queues are bound last, so that every routed message has a place to go. */
export function topologyOf(options: TopologyOptions = {}): Topology {
  const { apps = ["*"], partitions = topologyLimits.partitions, queueType = "classic" } = options;
  const queues = Array.from({ length: partitions }, (_, partition) => ({
    name: names.partition(partition),
    arguments: partitionArguments[queueType],
  }));
  // The order of the bindings decides which keys go to which queue. A broker that starts again binds them by name, more
  // or less: 3.10 does several at a time. In this order the fewest keys move to another queue while messages wait in
  // their old one.
  const spread = queues
    .map(({ name }) => name)
    .sort()
    // For a consistent hash the key is a weight.
    .map((destination): BindingDeclaration => {
      return { source: names.inbound, destination, kind: "queue", routingKey: "1" };
    });
  const taken = apps.flatMap(clientRoutingPatterns).map((routingKey): BindingDeclaration => {
    return { source: names.mqtt, destination: names.inbound, kind: "exchange", routingKey };
  });
  return { exchanges, queues: [deadQueue, ...queues], bindings: [...spread, ...taken] };
}

/** Declares the exchanges that a process publishes to. Idempotent. */
export async function declareExchanges(
  channel: Channel,
  declared: readonly ExchangeDeclaration[],
): Promise<void> {
  for (const { name, type } of declared) await channel.assertExchange(name, type, { durable: true });
}

/** Declares everything. Idempotent; rejects (406) when an object of the same name exists with other properties. */
export async function declareTopology(channel: Channel, topology: Topology): Promise<void> {
  await declareExchanges(channel, topology.exchanges);
  for (const { name, arguments: args } of topology.queues) {
    await channel.assertQueue(name, { durable: true, arguments: args });
  }
  for (const { source, destination, kind, routingKey } of topology.bindings) {
    if (kind === "queue") await channel.bindQueue(destination, source, routingKey);
    else await channel.bindExchange(destination, source, routingKey);
  }
}
