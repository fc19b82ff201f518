export type { AmqpEdge, AmqpEdgeOptions } from "./amqp-edge.ts";
export { createAmqpEdge } from "./amqp-edge.ts";
export type { BackendEvent, EventsOf } from "./amqp-event-sink.ts";
export type { BrokerCapabilities } from "./broker-capabilities.ts";
export type { DeadReason } from "./dead-letter.ts";
export type { Definitions, DefinitionsOptions, QueuePolicy } from "./definitions.ts";
export { definitions } from "./definitions.ts";
export type { ForeignMessage, ForeignQueues, QueueLevel } from "./foreign-queues.ts";
export type {
  CloseOutcome,
  CloseRequest,
  ConnectionCloser,
  ConnectionCloserOptions,
} from "./management.ts";
export { createConnectionCloser } from "./management.ts";
export type { NodeEdge, NodeEdgeOptions } from "./nodes/node-edge.ts";
export { createNodeEdge } from "./nodes/node-edge.ts";
export { leaseTimes } from "./partition-keeper.ts";
export { publisherLimits } from "./publisher.ts";
export type { Timers } from "./timers.ts";
export type { QueueType, TopologyOptions } from "./topology.ts";
export { names } from "./topology.ts";
export { topologyLimits } from "./topology-limits.ts";
